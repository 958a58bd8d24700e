"""What the window knows of one stream of the engine: its facts and the frames that arrived ahead."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

from PySide6.QtGui import QImage

from vidlabel.core import messages as m
from vidlabel.core.words import ClipRow

AHEAD_SECONDS = 1.0
AHEAD_BYTES = 96 * 1024 * 1024
AHEAD_LEAST = 3
AHEAD_MOST = 120
CREDIT_PREPARED = 3
MOST_FRAMES_A_SECOND = 60
"""More than this a screen does not show; faster play leaves frames out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameInfo:
    """The frame on screen. Times are from the video's start; ``first``, ``last`` (exclusive) bound it."""

    clip_id: int
    frame: int
    time_us: int
    frames: int
    fps: float
    duration_us: int
    first: int
    last: int


@dataclass(slots=True)
class Ahead:
    """A frame that came before it is due. ``media_us`` is its time, unrolled over loops."""

    frame: int
    time_us: int
    media_us: float
    message: m.FrameReady
    image: QImage | None = None


@dataclass(slots=True)
class Stream:
    """One clip that the engine decodes for us."""

    id: int
    row: ClipRow
    credit: int
    """How many frames the engine may have sent that were not taken yet."""
    opened: m.StreamOpened | None = None
    times: array[int] = field(default_factory=lambda: array("q"))
    generation: int = 0
    stride: int = 1
    ahead: deque[Ahead] = field(default_factory=deque)
    shown: Ahead | None = None
    failed: tuple[str, bool] | None = None
    loop: tuple[int, int] | None = None
    """Frames [first, last) of the A-B loop."""
    loop_start: int | None = None
    """A is set, B is not yet."""
    resume: int | None = None
    """The frame to go on from once it is open, where it takes the place of a stream that was lost."""
    waits_for_seek: bool = False
    next_seek: int | None = None
    sent_seek: int | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """Frames [first, last) that are played: the A-B loop or the clip."""
        if self.loop is not None:
            return self.loop
        return self.clip_bounds

    @property
    def clip_bounds(self) -> tuple[int, int]:
        return (0, 0) if self.opened is None else (self.opened.first, self.opened.last)

    @property
    def place(self) -> int:
        """The frame the person is at: the one a seek is on its way to, or the one on screen."""
        if self.next_seek is not None:
            return self.next_seek
        if self.shown is not None:
            return self.shown.frame
        return self.clip_bounds[0] if self.resume is None else self.resume

    def go_on_as(self, lost: Stream) -> None:
        """Takes the place of a stream of the same clip that died with its engine."""
        self.loop, self.loop_start = lost.loop, lost.loop_start
        somewhere = lost.next_seek is not None or lost.shown is not None
        self.resume = lost.place if somewhere else lost.resume

    def cycle_loop(self) -> int | None:
        """Loop start, loop end, loop off; answers the frame to go on from if that is another now."""
        here = self.place
        if self.loop is not None:
            self.loop = self.loop_start = None
            return here
        if self.loop_start is None:
            self.loop_start = here
            return None
        low, high = sorted((self.loop_start, here))
        self.loop = (low, high + 1)
        return low

    def loop_times(self) -> tuple[int | None, int | None]:
        """A and B in µs, None where not set."""
        if self.loop is not None:
            return self.time_of(self.loop[0]), self.time_of(self.loop[1])
        return (None if self.loop_start is None else self.time_of(self.loop_start)), None

    def info_of(self, ahead: Ahead) -> FrameInfo | None:
        """What is to be known of a frame that goes on the screen; None before the stream is open."""
        opened = self.opened
        if opened is None:
            return None
        return FrameInfo(
            clip_id=self.row.clip_id, frame=ahead.frame, time_us=ahead.time_us, frames=opened.frames,
            fps=opened.fps, duration_us=opened.duration_us, first=opened.first, last=opened.last,
        )  # fmt: skip

    def time_of(self, frame: int) -> int:
        """When a frame starts, in µs; one past the last is the end of the video."""
        if 0 <= frame < len(self.times):
            return self.times[frame]
        return self.opened.duration_us if self.opened else 0

    def frame_at(self, time_us: int) -> int:
        """The frame on screen at a time, within the clip."""
        first, last = self.clip_bounds
        found = bisect_right(self.times, time_us, first, max(first, min(last, len(self.times)))) - 1
        return max(first, min(found, last - 1))

    def put(self, message: m.FrameReady) -> Ahead:
        """Takes a frame in, behind those that came before it."""
        previous = self.ahead[-1] if self.ahead else self.shown
        media_us = float(message.time_us) if previous is None else self._unrolled(previous, message.time_us)
        ahead = Ahead(message.frame, message.time_us, media_us, message)
        self.ahead.append(ahead)
        return ahead

    def wanted_credit(self, message: m.FrameReady | None) -> int:
        """How many frames are to be on their way: a second of them, within bounds of memory."""
        fps = (self.opened.fps if self.opened else 0.0) or 30.0
        frames = min(AHEAD_SECONDS * fps / self.stride, AHEAD_MOST)
        if message is not None:
            frames = min(frames, AHEAD_BYTES / max(1, message.stride * message.height))
        return max(AHEAD_LEAST, int(frames))

    def _unrolled(self, previous: Ahead, time_us: int) -> float:
        if time_us > previous.time_us:
            return previous.media_us + (time_us - previous.time_us)
        # Round the loop: the rest of the last frame, then from the loop's start.
        first, last = self.bounds
        to_end = self.time_of(last) - previous.time_us
        from_start = time_us - self.time_of(first)
        return previous.media_us + max(to_end, 1_000) + max(from_start, 0)


def stride_for(speed: float, fps: float) -> int:
    """Every how-manieth frame is wanted at a speed, so that no more come than a screen shows."""
    return max(1, -(-round(speed * (fps or 30.0)) // MOST_FRAMES_A_SECOND)) if speed > 2 else 1
