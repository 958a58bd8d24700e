"""Bad clips, bad models and devices that give up: clear words, and the queue goes on."""

from __future__ import annotations

import queue
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.conftest import LABELS, SMALL, wanted
from tests.helpers.clips import numbered_clip, one_frame_clip, text_file
from vidlabel.core.errors import DeviceError, ModelError
from vidlabel.core.messages import ClipScores, ClipTrouble
from vidlabel.core.words import Views
from vidlabel.engine.inference import Suggester
from vidlabel.engine.suggest_queue import Answer, Job
from vidlabel.engine.suggester import run_clips, suggest_clips
from vidlabel.media.encode import write_video
from vidlabel.ml.devices import Device, choose_device
from vidlabel.ml.modelfile import ModelInfo, load_model, read_info, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.predictor import Predictor
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.running import Running

WAIT_S = 20.0


def on_cpu(model: ModelInfo) -> Predictor:
    return Predictor(load_model(model.path), choose_device("cpu"), threads=1)


def black_clip(path: Path) -> Path:
    write_video(path, (np.zeros((48, 64, 3), np.uint8) for _ in range(12)))
    return path


def black_two_frames(path: Path) -> Path:
    write_video(path, (np.zeros((48, 64, 3), np.uint8) for _ in range(2)))
    return path


def test_short_single_and_black_clips_are_answered_among_broken_ones(
    model: ModelInfo, films: tuple[Path, ...], tmp_path: Path
) -> None:
    good = [
        one_frame_clip(tmp_path / "one.mp4"),
        black_two_frames(tmp_path / "two.mp4"),
        black_clip(tmp_path / "black.mp4"),
        films[0],
    ]
    bad = [text_file(tmp_path / "text.mp4"), tmp_path / "gone.mp4"]
    (tmp_path / "empty.mp4").touch()
    clips = [wanted(path, n) for n, path in enumerate([*bad, *good, tmp_path / "empty.mp4"])]
    for views in (Views(), Views(clips=3, flip=True)):
        answers = {
            one.clip_id: one for one in suggest_clips(model, clips, device="cpu", batch=2, views=views)
        }
        for number in (0, 1, 6):
            assert isinstance(answers[number], ClipTrouble)
        for number in (2, 3, 4, 5):
            scores = answers[number]
            assert isinstance(scores, ClipScores)
            assert np.isfinite(scores.probabilities).all()
            assert sum(scores.probabilities) == pytest.approx(1, abs=1e-5)


def test_views_are_the_mean_of_what_each_sees(model: ModelInfo, films: tuple[Path, ...]) -> None:
    """A clip mirrored and looked at mirrored as well is the same clip."""
    clip = wanted(films[0], 1)
    (plain,) = suggest_clips(model, [clip], device="cpu", top_k=4)
    (several,) = suggest_clips(model, [clip], device="cpu", top_k=4, views=Views(clips=3, flip=True))
    assert isinstance(plain, ClipScores)
    assert isinstance(several, ClipScores)
    assert plain.embedding
    assert not several.embedding, "no single embedding gives that answer again"
    assert dict(zip(plain.labels, plain.probabilities, strict=True)) != dict(
        zip(several.labels, several.probabilities, strict=True)
    )


def test_the_cost_of_views_is_measured_and_told_once(model: ModelInfo, films: tuple[Path, ...]) -> None:
    told: list[float] = []
    clips = [wanted(films[n % 6], n) for n in range(12)]
    answers = list(
        suggest_clips(model, clips, device="cpu", batch=2, views=Views(clips=3), on_views_cost=told.append)
    )
    assert len(answers) == 12
    assert len(told) == 1
    assert 0.2 < told[0] < 30


class LeavingGpu(Predictor):
    """A GPU that is taken away after some batches. It computes on the processor; only its end is made up."""

    def __init__(self, model: ModelInfo, *, batches: int, at_start: bool) -> None:
        super().__init__(load_model(model.path), choose_device("cpu"), threads=1)
        self.device = Device("cuda", "Test GPU", "")
        self._best_batch = 2
        self._batches = batches
        self._at_start = at_start

    def warm_up(self) -> None:
        """Nothing is compared with a GPU that is none."""

    def start(self, frames: np.ndarray) -> Running:
        if self._at_start:
            self._leave()
        running = super().start(frames)
        running.parts = [replace(part, event=Happened()) for part in running.parts]  # type: ignore[arg-type]
        return running

    def finish(self, running: Running) -> object:  # type: ignore[override]
        if not self._at_start:
            self._leave()
        return super().finish(running)

    def _leave(self) -> None:
        self._batches -= 1
        if self._batches < 0:
            raise DeviceError("Test GPU (cuda) gave up: CUDA error: device lost. Try --device cpu.")


class Happened:
    """An event of the GPU."""

    def synchronize(self) -> None:
        """It has."""


@pytest.mark.parametrize("at_start", [True, False])
def test_a_gpu_that_disappears_loses_no_clip(
    model: ModelInfo, films: tuple[Path, ...], *, at_start: bool
) -> None:
    moved: list[str] = []
    suggester = Suggester(
        lambda: LeavingGpu(model, batches=3, at_start=at_start),
        batch=2,
        fallback=lambda: on_cpu(model),
        on_fallback=lambda predictor, reason: moved.append(f"{predictor.device.kind}: {reason}"),
    )
    try:
        clips = [wanted(films[n % 6], n) for n in range(30)]
        answers = list(run_clips(suggester, clips))
    finally:
        suggester.close()
    assert sorted(answer.clip_id for answer in answers) == list(range(30)), "each once"
    assert all(isinstance(answer, ClipScores) for answer in answers)
    assert len(moved) == 1
    assert moved[0].startswith("cpu: Test GPU (cuda) gave up: CUDA error: device lost")


def test_a_gpu_that_a_person_chose_fails_in_words(model: ModelInfo, films: tuple[Path, ...]) -> None:
    suggester = Suggester(lambda: LeavingGpu(model, batches=1, at_start=True), batch=2)
    try:
        with pytest.raises(DeviceError, match=r"Test GPU \(cuda\) gave up.*--device cpu"):
            list(run_clips(suggester, [wanted(films[n % 6], n) for n in range(9)]))
        with pytest.raises(DeviceError, match="gave up"):
            list(run_clips(suggester, [wanted(films[0], 1)]))
    finally:
        suggester.close()


def test_a_clip_that_the_model_has_no_numbers_for_stops_no_other(
    model: ModelInfo, films: tuple[Path, ...]
) -> None:
    predictor = on_cpu(model)
    forward = predictor._forward
    largest: list[float] = []

    def overflowing(x: torch.Tensor) -> torch.Tensor:
        """Finite weights may still overflow on one clip: here on that whose first row is brightest."""
        found = forward(x).clone()
        if largest:
            found[x[:, 0].amax(dim=(1, 2, 3)) > largest[0]] = float("inf")
        return found

    predictor._forward = overflowing
    suggester = Suggester(lambda: predictor, batch=2)
    try:
        plain = list(run_clips(suggester, [wanted(path, n) for n, path in enumerate(films)]))
        assert all(isinstance(answer, ClipScores) for answer in plain)
        largest.append(-1e9)
        (trouble,) = run_clips(suggester, [wanted(films[0], 1)])
        assert isinstance(trouble, ClipTrouble)
        assert trouble.of_model
        assert "no numbers" in trouble.reason
        largest.clear()
        (again,) = run_clips(suggester, [wanted(films[0], 1)])
        assert isinstance(again, ClipScores)
    finally:
        suggester.close()


@pytest.fixture
def own_copy(model: ModelInfo, tmp_path: Path) -> ModelInfo:
    return read_info(Path(shutil.copy(model.path, tmp_path / "own.safetensors")))


def without(path: Path) -> None:
    path.unlink()


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def full_of_nan(path: Path) -> None:
    from safetensors.torch import load_file, save_file

    info = path.read_bytes()
    state = load_file(path)
    state["head.bias"][0] = float("nan")
    length = int.from_bytes(info[:8], "little")
    import json

    save_file(state, path, metadata=json.loads(info[8 : 8 + length])["__metadata__"])


def another(path: Path) -> None:
    network = build("compact3d", labels=len(LABELS) + 1, **SMALL)
    save_model(
        path, network, name="other", network="compact3d", network_args=SMALL,
        labels=(*LABELS, "more"), preprocessing=Preprocessing(frames=4, height=16, width=16),
    )  # fmt: skip


@pytest.mark.parametrize("spoil", [without, truncated, full_of_nan, another])
def test_a_model_that_is_taken_away_in_use_goes_on_and_is_missed_when_loaded_anew(
    own_copy: ModelInfo, films: tuple[Path, ...], spoil: Callable[[Path], None]
) -> None:
    suggester = Suggester(lambda: on_cpu(own_copy), batch=2)
    try:
        (before,) = run_clips(suggester, [wanted(films[0], 1)])
        spoil(own_copy.path)
        (after,) = run_clips(suggester, [wanted(films[0], 1)])
        assert after == before
    finally:
        suggester.close()
    if spoil is another:
        (other,) = suggest_clips(read_info(own_copy.path), [wanted(films[0], 1)], device="cpu", batch=1)
        assert isinstance(other, ClipScores)
        assert len(other.labels) == 5
        return
    with pytest.raises(ModelError, match=r"own\.safetensors: .{20,}"):
        list(suggest_clips(own_copy, [wanted(films[0], 1)], device="cpu", batch=1))


def test_a_precision_that_is_no_gain_is_refused_with_what_was_measured(
    model: ModelInfo, films: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidlabel.ml.predictor.quickest", lambda work, wait, *, repeats: 1.0)
    with pytest.raises(DeviceError, match=r"1\.0 times as fast .*Use --precision auto"):
        list(suggest_clips(model, [wanted(films[0], 1)], device="cpu", batch=1, precision="bfloat16"))


def test_a_kept_embedding_is_read_without_its_video(model: ModelInfo, films: tuple[Path, ...]) -> None:
    (first,) = suggest_clips(model, [wanted(films[0], 1)], device="cpu", batch=1)
    assert isinstance(first, ClipScores)
    gone = replace(wanted(Path("/nowhere/gone.mp4"), 1), embedding=first.embedding)
    (again,) = suggest_clips(model, [gone], device="cpu", batch=1)
    assert again == replace(first, embedding="")
    useless = replace(wanted(films[0], 1), embedding="AAAA")
    (anew,) = suggest_clips(model, [useless], device="cpu", batch=1)
    assert anew == first


def test_several_clips_of_one_video_need_one_index(
    model: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidlabel.media.frame_index import FrameIndex

    film = numbered_clip(tmp_path / "film.mp4", 60)
    built: list[Path] = []
    build_index = FrameIndex.build

    def counted(path: Path, **options: object) -> FrameIndex:
        built.append(path)
        return build_index(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(FrameIndex, "build", counted)
    suggester = Suggester(lambda: on_cpu(model), batch=2)
    try:
        parts = [
            replace(wanted(film, n), start_us=n * 200_000, end_us=n * 200_000 + 400_000) for n in range(8)
        ]
        answers = list(run_clips(suggester, parts))
        assert all(isinstance(answer, ClipScores) for answer in answers)
        assert len(built) == 1
        numbered_clip(film, 90)
        list(run_clips(suggester, parts[:1]))
        assert len(built) == 2, "a file that was changed is read anew"
    finally:
        suggester.close()


def test_a_request_ends_when_it_waits_for_a_device_that_never_comes(
    model: ModelInfo, films: tuple[Path, ...]
) -> None:
    def load() -> Predictor:
        raise DeviceError("cuda cannot be used: no GPU. Use --device cpu.")

    suggester = Suggester(load)
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    suggester.submit(Job(1, (wanted(films[0], 1),), 0, 5, answers.put))
    assert answers.get(timeout=WAIT_S).failed == "cuda cannot be used: no GPU. Use --device cpu."
    suggester.close()
