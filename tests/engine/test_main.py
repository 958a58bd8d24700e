"""The engine as a process, spoken to over its pipes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.engine.conftest import LABELS
from tests.engine.conftest import wanted as wanted_clip
from tests.helpers.clips import numbered_clip, text_file, tone
from vidlabel.core import messages as m
from vidlabel.core.arena import Arena
from vidlabel.core.wire import MessageBuffer, encode
from vidlabel.core.worker import worker_command, worker_folder
from vidlabel.ml.modelfile import ModelInfo

ARENA = 4 * 1024 * 1024


class Engine:
    """A real engine process and the window's side of its pipes, reading one message at a time."""

    def __init__(self, home: Path) -> None:
        self.arena = Arena.create(ARENA)
        self.process = subprocess.Popen(
            worker_command("engine"), cwd=worker_folder(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "VIDLABEL_HOME": str(home)},
        )  # fmt: skip
        self._buffer = MessageBuffer()
        self._messages = self._read()
        self.send(m.Hello(arena=str(self.arena.path), arena_bytes=ARENA, cache_folder=str(home / "cache")))
        assert isinstance(self.receive(), m.Ready)

    def send(self, message: m.Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode(message))
        self.process.stdin.flush()

    def receive(self) -> m.Message:
        return next(self._messages)

    def until_done(self, request: int) -> list[m.Message]:
        """All messages up to the one that ends the request, which is the last."""
        received: list[m.Message] = []
        for message in self._messages:
            if isinstance(message, m.Progress):
                continue
            received.append(message)
            if isinstance(message, m.JobDone | m.JobFailed) and message.request == request:
                return received
        raise AssertionError("the engine ended")

    def close(self) -> int:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        self.arena.close()
        return code

    def _read(self) -> Iterator[m.Message]:
        assert self.process.stdout is not None
        while data := os.read(self.process.stdout.fileno(), 65536):
            yield from self._buffer.feed(data)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "home")
    yield engine
    if not engine.process.stdin.closed:  # type: ignore[union-attr]
        engine.close()


def wanted(path: Path) -> m.WantedFile:
    status = path.stat()
    return m.WantedFile(relative=path.name, size=status.st_size, mtime_ns=status.st_mtime_ns)


def test_it_ends_when_the_window_is_gone(engine: Engine) -> None:
    assert engine.close() == 0


def test_it_ends_when_told_to(engine: Engine) -> None:
    engine.send(m.Shutdown())
    assert engine.process.wait(timeout=10) == 0


def test_it_starts_without_torch_and_without_qt() -> None:
    code = (
        "import sys; import vidlabel.engine.main, vidlabel.engine.router, vidlabel.engine.library;"
        "print([n for n in ('torch', 'cv2', 'PySide6', 'sqlalchemy') if n in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=worker_folder(), capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_root_is_listed_and_probed(engine: Engine, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    good, bad = numbered_clip(root / "good.mp4", 10), text_file(root / "bad.mp4")
    engine.send(m.ListFiles(request=1, root=str(root)))
    listed = engine.until_done(1)
    assert isinstance(listed[0], m.FilesListed)
    assert [entry[0] for entry in listed[0].entries] == ["bad.mp4", "good.mp4"]
    engine.send(m.ProbeFiles(request=2, root=str(root), files=(wanted(good), wanted(bad))))
    answers = engine.until_done(2)
    probed = {
        file.relative: file
        for answer in answers
        if isinstance(answer, m.FilesProbed)
        for file in answer.files
    }
    assert probed["good.mp4"].facts is not None
    assert probed["good.mp4"].facts["frames"] == 10
    assert probed["good.mp4"].reason is None
    assert probed["bad.mp4"].facts is None
    assert probed["bad.mp4"].reason == "not a video"
    assert answers[-1] == m.JobDone(request=2)


def test_suspects_are_decoded_one_by_one(engine: Engine, tmp_path: Path) -> None:
    files = tuple(wanted(numbered_clip(tmp_path / f"{n}.mp4", 10)) for n in range(3))
    engine.send(m.ProbeFiles(request=1, root=str(tmp_path), files=files, one_by_one=True))
    answers = engine.until_done(1)
    names = [
        file.relative for answer in answers if isinstance(answer, m.FilesProbed) for file in answer.files
    ]
    assert names == ["0.mp4", "1.mp4", "2.mp4"]


def test_a_root_that_is_gone(engine: Engine, tmp_path: Path) -> None:
    engine.send(m.ListFiles(request=1, root=str(tmp_path / "gone")))
    (failed,) = engine.until_done(1)
    assert isinstance(failed, m.JobFailed)
    assert "gone" in failed.reason


def test_whole_files_are_hashed(engine: Engine, tmp_path: Path) -> None:
    import hashlib

    clip = numbered_clip(tmp_path / "a.mp4", 5)
    engine.send(m.HashFiles(request=1, videos=((7, str(clip)), (8, str(tmp_path / "gone.mp4")))))
    first, second, _ = engine.until_done(1)
    assert first == m.FileHashed(
        request=1, video_id=7, content_hash=hashlib.sha256(clip.read_bytes()).hexdigest()
    )
    assert isinstance(second, m.FileHashed)
    assert (second.video_id, second.content_hash) == (8, "")
    assert second.reason


def test_thumbnails_are_made_once_and_bad_files_have_none(engine: Engine, tmp_path: Path) -> None:
    clip, text = numbered_clip(tmp_path / "a.mp4", 5), text_file(tmp_path / "b.mp4")
    pictures = (
        m.WantedThumbnail(fingerprint="aa11", path=str(clip), at_us=40_000),
        m.WantedThumbnail(fingerprint="bb22", path=str(text), at_us=0),
    )
    engine.send(m.Thumbnails(request=1, wanted=pictures))
    made, none, _ = engine.until_done(1)
    assert isinstance(made, m.ThumbnailReady)
    assert Path(made.file).read_bytes()[:2] == b"\xff\xd8"
    assert isinstance(none, m.ThumbnailReady)
    assert none.file == ""
    clip.unlink()
    engine.send(m.Thumbnails(request=2, wanted=pictures[:1]))
    again, _ = engine.until_done(2)
    assert isinstance(again, m.ThumbnailReady)
    assert again.file == made.file


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names")
def test_a_cancelled_request_ends_and_the_others_go_on(engine: Engine, tmp_path: Path) -> None:
    stuck = tmp_path / "stuck.mp4"
    os.mkfifo(stuck)
    engine.send(m.HashFiles(request=1, videos=((1, str(stuck)),)))
    engine.send(m.HashFiles(request=2, videos=((2, str(stuck)),)))
    engine.send(m.Cancel(request=2))
    assert engine.until_done(2) == [m.JobDone(request=2, stopped=True)]
    engine.send(m.Cancel(request=1))
    # Messages are taken in order: once a later one is answered, this one has been seen.
    engine.send(m.HashFiles(request=3, videos=()))
    engine.send(m.Cancel(request=3))
    assert engine.until_done(3) == [m.JobDone(request=3, stopped=True)]
    # Whoever opens the pipe's other end lets the hashing thread go on, and see that it is no longer wanted.
    stuck.open("wb").close()
    assert engine.until_done(1)[-1] == m.JobDone(request=1, stopped=True)


def test_a_model_is_loaded_and_answers_the_clip_on_screen_first(
    engine: Engine, model: ModelInfo, films: tuple[Path, ...], tmp_path: Path
) -> None:
    engine.send(m.LoadModel(request=1, model=str(model.path), device="cpu"))
    everything = tuple(wanted_clip(films[n % 6], n) for n in range(300))
    engine.send(m.Suggest(request=2, priority=2, clips=everything))
    engine.send(m.Suggest(request=3, priority=0, clips=(wanted_clip(tmp_path / "gone.mp4", 998),)))
    engine.send(m.Suggest(request=4, priority=0, clips=(wanted_clip(films[0], 999),), top_k=2))
    ready = engine.receive()
    assert isinstance(ready, m.ModelReady)
    assert (ready.request, ready.labels, ready.hash, ready.device) == (1, LABELS, model.hash, "cpu")
    answers = engine.until_done(2)
    ended = [answer.request for answer in answers if isinstance(answer, m.JobDone)]
    assert sorted(ended[:2]) == [3, 4]
    assert ended[2:] == [2]
    suggested = [answer for answer in answers if isinstance(answer, m.Suggested)]
    assert {answer.model_hash for answer in suggested} == {model.hash}
    scores = {score.clip_id: score for answer in suggested for score in answer.clips}
    assert set(scores) == {*range(300), 999}
    assert scores[999].labels == scores[0].labels[:2]
    troubles = [trouble for answer in suggested for trouble in answer.unreadable]
    assert [(trouble.clip_id, trouble.missing) for trouble in troubles] == [(998, True)]


def test_a_model_that_is_not_there_is_told_in_words(engine: Engine, tmp_path: Path) -> None:
    engine.send(m.LoadModel(request=1, model=str(tmp_path / "none.safetensors")))
    (failed,) = engine.until_done(1)
    assert isinstance(failed, m.JobFailed)
    assert "none.safetensors" in failed.reason


def test_sound_comes_for_the_time_asked(engine: Engine, tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path / "loud.mp4", 50, sound=tone(2.0))
    box = {"width": 100, "height": 100, "credit": 0, "urgent": True}
    engine.send(m.OpenStream(stream=1, path=str(clip), start_us=0, end_us=2_000_000, **box))
    opened = engine.receive()
    assert isinstance(opened, m.StreamOpened)
    assert opened.audio
    engine.send(m.SoundWanted(stream=1, generation=5, start_us=500_000, end_us=750_000))
    ready = engine.receive()
    assert isinstance(ready, m.SoundReady)
    assert (ready.stream, ready.generation, ready.start_us, ready.nbytes) == (1, 5, 500_000, 12_000 * 2 * 2)
    with engine.arena.view(ready.offset, ready.nbytes) as view:
        samples = np.frombuffer(view, np.int16).copy()
    assert np.abs(samples).max() > 5000


def test_a_stream_without_sound_is_silent(engine: Engine, films: tuple[Path, ...]) -> None:
    box = {"width": 100, "height": 100, "credit": 0, "urgent": True}
    engine.send(m.OpenStream(stream=1, path=str(films[0]), start_us=0, end_us=2_000_000, **box))
    opened = engine.receive()
    assert isinstance(opened, m.StreamOpened)
    assert not opened.audio
    engine.send(m.SoundWanted(stream=1, generation=0, start_us=0, end_us=100_000))
    ready = engine.receive()
    assert isinstance(ready, m.SoundReady)
    assert ready.nbytes == 0


def test_nonsense_is_answered_in_words(engine: Engine) -> None:
    engine.send(m.Suggest(request=1, priority=0, clips=()))
    (failed,) = engine.until_done(1)
    assert failed == m.JobFailed(request=1, reason="No model is loaded.")
