"""The head alone: each clip goes through the trunk once, and what is fitted reads what suggestions are read from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.helpers.clips import numbered_clip
from tests.helpers.tiny_models import SMALL
from vidlabel.core.errors import StoppedError, TrainingError
from vidlabel.core.runs import Tunes
from vidlabel.learning.clip_batches import ClipsInOrder, LabelledClip
from vidlabel.learning.embedding_batches import EmbeddingBatches, embed_clips
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.learning.head_only import HeadOnly, one_thread
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.predictor import Predictor
from vidlabel.ml.preprocess import Preprocessing

P = Preprocessing(frames=4, height=16, width=16)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = build("compact3d", labels=2, **SMALL)
    save_model(
        path,
        network,
        name="tiny",
        network="compact3d",
        network_args=SMALL,
        labels=("a", "b"),
        preprocessing=P,
    )
    return Predictor(load_model(path), choose_device("cpu"), threads=1)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    paths = [numbered_clip(folder / f"{n}.mp4", 10 + 3 * n, size=(64, 48)) for n in range(5)]
    return [LabelledClip(path=path, label=n % 2, content_hash=f"h{n}") for n, path in enumerate(paths)]


class Counting:
    """A predictor that counts the clips it saw."""

    def __init__(self, predictor):
        self.info, self._predictor, self.seen = predictor.info, predictor, 0

    def predict(self, frames):
        self.seen += len(frames)
        return self._predictor.predict(frames)


def test_each_clip_goes_through_the_trunk_once(clips, predictor, tmp_path):
    (_, prepared), *_ = ClipsInOrder(clips, P, size=5)
    expected = predictor.predict(prepared.frames).embeddings
    first = Counting(predictor)
    told, troubles = [], []
    gone = LabelledClip(path=tmp_path / "gone.mp4", label=1)
    found = embed_clips(
        [*clips[:2], gone, *clips[2:]], first, folder=tmp_path, trunk="t", batch=2,
        on_progress=lambda done, total: told.append((done, total)),
        on_trouble=lambda clip, why: troubles.append(clip),
    )  # fmt: skip
    assert found.values.dtype == np.float16
    # In batches of another size a clip may round to the neighbouring float16.
    assert np.allclose(found.values, expected, atol=2e-3)
    assert [clip.path for clip in found.clips] == [clip.path for clip in clips]
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert troubles == [gone]
    assert told[0] == (0, 6)
    assert told[-1] == (6, 6)
    assert first.seen == 5

    again = Counting(predictor)
    same = embed_clips(clips, again, folder=tmp_path, trunk="t")
    assert again.seen == 0
    assert np.array_equal(same.values, found.values)
    embed_clips(clips, again, folder=tmp_path, trunk="another")
    assert again.seen == 5
    known = {clip.key: row for clip, row in zip(found.clips, found.values, strict=True)}
    assert np.array_equal(embed_clips(clips, again, folder=None, trunk="x", known=known).values, found.values)
    assert again.seen == 5


def test_what_was_computed_before_a_stop_is_kept_and_damage_is_computed_again(clips, predictor, tmp_path):
    with pytest.raises(StoppedError):
        embed_clips(clips, predictor, folder=tmp_path, trunk="t", batch=2, should_stop=lambda: True)
    rest = Counting(predictor)
    whole = embed_clips(clips, rest, folder=tmp_path, trunk="t")
    assert rest.seen == 3
    for path in tmp_path.glob("embeddings-*.npz"):
        path.write_bytes(path.read_bytes()[:100])
    repaired = Counting(predictor)
    assert embed_clips(clips, repaired, folder=tmp_path, trunk="t").values.shape == whole.values.shape
    assert repaired.seen == 5
    gone = [LabelledClip(path=tmp_path / "gone.mp4", label=0)]
    with pytest.raises(TrainingError, match="disk"):
        embed_clips(gone, predictor, folder=None, trunk="t")


def test_batches_of_embeddings_are_dealt_like_clips_and_fit_the_head(clips):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 40)
    values = (rng.normal(size=(40, 16)) + 2 * labels[:, None]).astype(np.float16)
    batches = EmbeddingBatches(values, labels, size=8, seed=2)
    first, again = list(batches.epoch(3)), list(batches.epoch(3, first=2))
    assert len(first) == len(batches) == 5
    assert first[0].frames.dtype == np.float32
    assert first[0].frames.shape == (8, 16)
    assert np.array_equal(first[2].frames, again[0].frames)
    assert sorted(np.concatenate([batch.labels for batch in first])) == sorted(labels)
    parts = [list(EmbeddingBatches(values, labels, size=8, seed=2, rank=r, world=2).epoch(3)) for r in (0, 1)]
    assert np.array_equal(np.concatenate([part[1].frames for part in parts]), first[1].frames)

    whole, alone = (seeded() for _ in range(2))
    trunk = {name: value.clone() for name, value in whole.state_dict().items() if "head" not in name}
    options = FitOptions(epochs=10, peak_rate=0.05, tunes=Tunes.HEAD, average=0.9, seed=5)
    fit(whole, batches, preprocessing=P, options=options)
    with one_thread():
        fit(HeadOnly(alone), batches, preprocessing=P, options=options)
    for name, value in whole.state_dict().items():
        assert torch.equal(alone.state_dict()[name], value), "without the trunk the very same"
        assert name not in trunk or torch.equal(trunk[name], value)
    answers = alone.read(torch.from_numpy(values.astype(np.float32))).argmax(dim=1).numpy()
    assert (answers == labels).mean() > 0.9


def seeded():
    """The same small network each time, with dropout."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = build("compact3d", labels=2, **SMALL)
    network.dropout.p = 0.3
    return network
