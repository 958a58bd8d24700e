"""A small real model asked about real clips: whole answers, and a proof of one model against another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.conftest import LABELS, SMALL, wanted
from tests.helpers.clips import text_file
from vidlabel.core.errors import StoppedError
from vidlabel.core.messages import ClipScores, WantedClip
from vidlabel.core.model_card import TRAINED_ON
from vidlabel.core.snapshot import Snapshot, SnapshotClip
from vidlabel.engine.measuring import measure
from vidlabel.engine.proving import prove
from vidlabel.engine.suggester import suggest_clips
from vidlabel.ml.modelfile import ModelInfo, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """Other weights, one label more and one less."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        network = build("compact3d", labels=4, **SMALL)
    return save_model(
        tmp_path_factory.mktemp("model") / "other.safetensors", network, name="other", network="compact3d",
        network_args=SMALL, labels=(*LABELS[:3], "jump"),
        preprocessing=Preprocessing(frames=4, height=16, width=16), card={TRAINED_ON: ["h0", "h5"]},
    )  # fmt: skip


def test_the_whole_answer_of_each_clip(model: ModelInfo, films: tuple[Path, ...]) -> None:
    clips = [wanted(path, 10 + number) for number, path in enumerate(films)]
    seen: dict[int, str] = {}
    done: list[int] = []
    answers = measure(
        model, clips, device="cpu", batch=2, on_progress=done.append, on_embedding=seen.__setitem__
    )
    assert answers.clip_ids.tolist() == [10, 11, 12, 13, 14, 15]
    assert answers.labels == LABELS
    assert answers.probabilities.dtype == np.float32
    assert answers.probabilities.sum(axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert done[-1] == 6
    for scores in suggest_clips(model, clips, device="cpu", batch=2, top_k=1):
        assert isinstance(scores, ClipScores)
        row = answers.probabilities[scores.clip_id - 10]
        assert (LABELS[int(row.argmax())], float(row.max())) == (
            scores.labels[0], pytest.approx(scores.probabilities[0])
        )  # fmt: skip
    # What was seen once gives the same again, without a file.
    gone = [
        WantedClip(clip_id=clip_id, path="/nowhere", start_us=0, end_us=1, embedding=embedding)
        for clip_id, embedding in sorted(seen.items())
    ]
    again = measure(model, gone, device="cpu", batch=2)
    np.testing.assert_array_equal(again.probabilities, answers.probabilities)


def test_what_cannot_be_read_has_no_row(model: ModelInfo, films: tuple[Path, ...], tmp_path: Path) -> None:
    clips = [wanted(text_file(tmp_path / "text.mp4"), 1), wanted(films[0], 2)]
    answers = measure(model, clips, device="cpu", batch=2)
    assert answers.clip_ids.tolist() == [2]
    assert answers.unreadable == {1: "not a video"}
    assert measure(model, [], device="cpu", batch=2).probabilities.shape == (0, 4)


def test_stopping(model: ModelInfo, films: tuple[Path, ...]) -> None:
    with pytest.raises(StoppedError):
        measure(model, [wanted(films[0], 1)], device="cpu", batch=2, should_stop=lambda: True)


def test_a_proof_of_two_models(
    model: ModelInfo, other: ModelInfo, films: tuple[Path, ...], tmp_path: Path
) -> None:
    """The truth is what ``model`` says: it has every clip right that it can read."""
    first = measure(model, [wanted(path, number) for number, path in enumerate(films)], device="cpu", batch=2)
    truth = [LABELS[place] for place in first.probabilities.argmax(axis=1)]
    clips = [
        SnapshotClip(
            content_hash=f"h{number}", start_us=0, end_us=10_000_000, label=label,
            part="test" if number < 5 else "train", source=str(number), path=path, clip_id=number,
        )
        for number, (path, label) in enumerate(zip(films, truth, strict=True))
    ]  # fmt: skip
    gone = SnapshotClip(
        content_hash="gone", start_us=0, end_us=1, label="wave", part="test", source="g",
        path=tmp_path / "g.mp4", clip_id=9,
    )  # fmt: skip
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(films[0].read_bytes())
    clips[0] = SnapshotClip(
        content_hash="h0", start_us=0, end_us=10_000_000, label=truth[0], part="test", source="0",
        path=tmp_path / "was here.mp4", clip_id=0,
    )  # fmt: skip
    snapshot = Snapshot(clips=(*clips, gone), labels=LABELS, split="by-source")
    told: list[tuple[int, int]] = []
    proof = prove(
        other, model, snapshot, device="cpu", paths={"h0": str(moved)},
        on_progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert (proof.clips, proof.unreadable) == (5, 1)
    assert proof.candidate.top1 == 1.0
    assert proof.candidate.hash == model.hash
    assert proof.lost == ()
    assert proof.forgotten == ("jump",)
    # Of the test clips only: h5 is a training clip.
    assert (proof.seen_before, proof.seen_by_candidate) == (1, 0)
    assert told[-1] == (12, 12)
    same = prove(model, model, snapshot, device="cpu", paths={"h0": str(moved)})
    assert (same.won, same.lost, same.p_value) == ((), (), 1.0)
    assert same.active == same.candidate
    with pytest.raises(StoppedError):
        prove(other, model, snapshot, device="cpu", should_stop=lambda: True)
