"""The sound of a video, as samples aligned to the video's own time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from vidlabel.core.errors import UnreadableVideoError
from vidlabel.core.time import US_PER_SECOND
from vidlabel.media.container import open_container
from vidlabel.media.frame_index import FrameIndex

_Piece = tuple[int, NDArray[np.int16]]
"""(number of the first sample from the video's first frame on, int16 (n, 2))"""

RATE = 48_000
CHANNELS = 2
_NO_SOUND = "there is no sound in it that can be decoded"
_STEPS_BACK_US = (100_000, 2_000_000, 10_000_000)
"""Compressed sound needs some packets before it comes out right: decoding begins a little early."""
_HOLE = RATE // 50
"""Stamps of sound packets are rounded; only gaps beyond 20 ms are real ones."""


class SoundReader:
    """The first sound track of a video, at 48 kHz, stereo. Not for use from two threads at once.

    Args:
        path: the file.
        start_us: the first frame's time in the file's own clock (``FrameIndex.start_us``); None looks it up.

    Raises:
        MissingVideoError: the file is not there.
        UnreadableVideoError: it is damaged, or has no sound that can be decoded.
    """

    def __init__(self, path: Path, *, start_us: int | None = None) -> None:
        self.path = path
        self._start_us = FrameIndex.build(path).start_us if start_us is None else start_us
        self._container: InputContainer | None = None
        self._stream: AudioStream
        self._open()
        self._pieces: Iterator[_Piece] = iter(())
        self._left: list[_Piece] = []
        self._next: int | None = None

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._pieces = iter(())
        if self._container is not None:
            self._container.close()

    def read(self, start_us: int, end_us: int) -> NDArray[np.int16]:
        """The samples of ``[start_us, end_us)``; times from the video's first frame.

        A read that begins where the last one ended goes straight on, so that the two join without a click.

        Returns:
            int16 (n, 2) at 48 kHz, n as long as asked for; silence where the file has no sound.
        """
        first = start_us * RATE // US_PER_SECOND
        last = max(first, end_us * RATE // US_PER_SECOND)
        out = np.zeros((last - first, CHANNELS), dtype=np.int16)
        if first != self._next:
            self._pieces = self._from(start_us)
            self._left.clear()
        self._next = last
        left, self._left = self._left, []
        for piece in itertools.chain(left, self._pieces):
            place, samples = piece
            _lay(samples, out, place - first)
            if place + len(samples) > last:
                self._left.append(piece)
            if place >= last:
                break
        return out

    def _from(self, start_us: int) -> Iterator[_Piece]:
        """Decoded pieces from before ``start_us`` on; the end where the track ends or is damaged."""
        resampler = AudioResampler(format="s16", layout="stereo", rate=RATE)
        place: int | None = None
        try:
            for decoded in self._decoded_from(start_us):
                place = self._place(decoded, place)
                for frame in resampler.resample(decoded):
                    samples = _samples(frame)
                    yield place, samples
                    place += len(samples)
            for frame in resampler.resample(None):
                yield place or 0, _samples(frame)
        except (FFmpegError, OSError, ValueError):
            # What was decoded so far is right; the rest of a damaged track is silence.
            return

    def _decoded_from(self, start_us: int) -> Iterator[AudioFrame]:
        """Decoded frames from at or before ``start_us`` on; from further back where a seek lands late."""
        time_base = self._stream.time_base or Fraction(1, RATE)
        earliest = self._stream.start_time or 0
        for back_us in _STEPS_BACK_US:
            own_us = start_us + self._start_us - back_us
            ticks = round(Fraction(own_us, US_PER_SECOND) / time_base)
            if self._container is None or ticks <= earliest:
                break
            try:
                self._container.seek(ticks, stream=self._stream, backward=True)
                frames = self._container.decode(self._stream)
                first = next(frames, None)
            except (FFmpegError, OSError):
                continue
            if (
                first is not None
                and first.time is not None
                and first.time * US_PER_SECOND <= own_us + back_us
            ):
                return itertools.chain([first], frames)
        return self._open().decode(self._stream)

    def _open(self) -> InputContainer:
        if self._container is not None:
            self._container.close()
        container = self._container = open_container(self.path)
        streams = container.streams.audio
        if not streams or streams[0].codec_context is None:
            container.close()
            raise UnreadableVideoError(self.path, _NO_SOUND)
        self._stream = streams[0]
        return container

    def _place(self, frame: AudioFrame, expected: int | None) -> int:
        """The number of a frame's first sample: where the last ones ended, unless there is a real gap."""
        if frame.time is None:
            return 0 if expected is None else expected
        place = round((frame.time - self._start_us / US_PER_SECOND) * RATE)
        return expected if expected is not None and abs(place - expected) <= _HOLE else place


def _samples(frame: AudioFrame) -> NDArray[np.int16]:
    """The samples of a resampled frame, int16 (n, 2)."""
    return np.asarray(frame.to_ndarray(), dtype=np.int16).reshape(-1, CHANNELS)


def _lay(samples: NDArray[np.int16], out: NDArray[np.int16], place: int) -> None:
    """Copies what of ``samples``, which begin at ``place``, falls into ``out``."""
    begin, end = max(place, 0), min(place + len(samples), len(out))
    if begin < end:
        out[begin:end] = samples[begin - place : end - place]
