"""Sweeps: one model's pass over a whole video in overlapping windows, and the clips proposed from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from vidlabel.core.time import US_PER_SECOND, us_from_seconds
from vidlabel.core.words import ClipRow, LabelScore

WINDOW_S = 2.0
STEP_S = 0.5
LONG_S = 60.0
"""Videos from this length on are swept where nobody names videos."""
SETTING = "proposals"
"""The project's setting that holds a :class:`ProposalSettings`."""
PART_WINDOWS = 64
"""Windows of a part, the most that a stop, a crash or a power cut can lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """The windows of a sweep: window ``k`` begins at ``k * step_us``; the last one ends with the video.

    Each window speaks for its *cell*, the ``step_us`` around its centre; the first and the last cell reach to
    the ends of the video, so that the cells cover it without gap or overlap.

    Raises:
        ValueError: a length is not above 0, or the step is longer than the window, which would leave time out.
    """

    duration_us: int
    window_us: int
    step_us: int

    def __post_init__(self) -> None:
        if min(self.duration_us, self.window_us, self.step_us) <= 0:
            raise ValueError("duration, window and step must be above 0")
        if self.step_us > self.window_us:
            raise ValueError(
                "the step must not be longer than the window: time between windows would be left out"
            )

    @property
    def windows(self) -> int:
        """How many there are; one where the video is no longer than a window."""
        return 1 + max(0, -((self.window_us - self.duration_us) // self.step_us))

    def window(self, number: int) -> tuple[int, int]:
        """Start and end (exclusive) in µs. Only the last may be shorter than ``window_us``."""
        start = number * self.step_us
        return start, min(start + self.window_us, self.duration_us)

    def cell(self, first: int, end: int | None = None) -> tuple[int, int]:
        """What the windows ``[first, end)`` (``end`` None: only ``first``) speak for, in µs, end exclusive."""
        last = first if end is None else end - 1
        before = (self.window_us - self.step_us) // 2
        start = 0 if first == 0 else first * self.step_us + before
        stop = self.duration_us if last == self.windows - 1 else (last + 1) * self.step_us + before
        return min(start, self.duration_us), min(stop, self.duration_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalSettings:
    """When the curve of a label becomes a clip. Shares are 0..1, lengths in seconds.

    Args:
        start_sure: a clip needs a moment at which the model is at least so sure.
        end_sure: it reaches as far as the model stays at least so sure; at most ``start_sure``.
        join_gaps_s: two clips of one label with no more than this between them are one.
        shortest_s: what is shorter is not proposed.
        smooth_s: the curve is averaged over so much time first; 0 takes it as it is.

    Raises:
        ValueError: a value is out of its range.
    """

    start_sure: float = 0.4
    end_sure: float = 0.3
    join_gaps_s: float = 1.0
    shortest_s: float = 1.0
    smooth_s: float = 1.5

    def __post_init__(self) -> None:
        if not 0 < self.end_sure <= self.start_sure <= 1:
            raise ValueError(
                "a clip must end below what it starts at, and both lie above 0 % and up to 100 %"
            )
        if not all(0 <= value < float("inf") for value in (self.join_gaps_s, self.shortest_s, self.smooth_s)):
            raise ValueError("gap, shortest clip and smoothing are seconds from 0")

    def to_json(self) -> dict[str, float]:
        """Plain values, for the settings of a project."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> ProposalSettings:
        """The inverse of :meth:`to_json`; what is missing, unknown or out of range takes the usual value."""
        if not isinstance(values, Mapping):
            return cls()
        known = {
            field.name: float(values[field.name])
            for field in fields(cls)
            if isinstance(values.get(field.name), int | float)
        }
        try:
            return cls(**known)
        except ValueError:
            return cls()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A stretch ``[start_us, end_us)`` of a video that a model takes for a label, with its mean probability.

    ``first`` and ``last`` (exclusive) are the windows whose cells it covers.
    """

    start_us: int
    end_us: int
    label: str
    confidence: float
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedClip:
    """A proposal as a clip of the queue: with its frames (last exclusive) and what the model says of it."""

    start_us: int
    end_us: int
    frames: tuple[int, int]
    scores: tuple[LabelScore, ...]
    margin: float
    entropy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LongVideo:
    """A readable video with its whole clip, and how far a model's sweep over it has come, if there is one."""

    clip: ClipRow
    sweep: Sweep | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """How far one model's pass over one video has come: windows ``[0, done)`` are stored."""

    id: int
    model: str
    video_id: int
    window_us: int
    step_us: int
    windows: int
    done: int
    finished: bool

    def plan(self, duration_us: int) -> SweepPlan:
        """Its windows over a video of this length."""
        return SweepPlan(duration_us=duration_us, window_us=self.window_us, step_us=self.step_us)


def seconds_to_plan(duration_us: int, *, window_s: float = WINDOW_S, step_s: float = STEP_S) -> SweepPlan:
    """A plan from seconds; windows and steps are whole microseconds, at least a hundredth of a second.

    Raises:
        ValueError: as :class:`SweepPlan`.
    """
    least = US_PER_SECOND // 100
    return SweepPlan(
        duration_us=duration_us,
        window_us=max(least, us_from_seconds(window_s)),
        step_us=max(least, us_from_seconds(step_s)),
    )


def without_gaps(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Rising stretches of time with those joined that touch."""
    joined: list[tuple[int, int]] = []
    for start, end in stretches:
        if joined and joined[-1][1] >= start:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def sweep_json(plan: SweepPlan, sweep: Sweep) -> dict[str, Any]:
    """What JSON says of a sweep."""
    return {
        "window": plan.window_us / US_PER_SECOND,
        "step": plan.step_us / US_PER_SECOND,
        "windows": sweep.windows,
        "done": sweep.done,
        "finished": sweep.finished,
    }
