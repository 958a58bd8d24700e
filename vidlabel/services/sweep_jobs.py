"""What sweeping asks of the store, off the GUI thread, and its answers as plain values."""

from __future__ import annotations

import base64
import importlib
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidlabel.core import messages as m
from vidlabel.core.sweeps import SETTING, LongVideo, ProposalSettings, ProposedClip, Sweep, SweepPlan
from vidlabel.core.time import US_PER_SECOND
from vidlabel.core.words import Changes, ClipRow

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

COLUMNS = 1200
"""Points of a curve at most; of several windows in a point the highest is shown, so that no moment is lost."""
CURVES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A label's probability over time, smoothed as the proposals are made from it.

    ``values`` (0..1, NaN: not looked at) stand at even distances from the start of the video to its end; those
    after what has been looked at are NaN.
    """

    label: str
    values: array[float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StripData:
    """What the strip under the timeline shows of a video. Times in µs from its first frame."""

    video_id: int
    whole_id: int
    """The clip that is the whole video."""
    duration_us: int
    looked_us: int
    """How far the sweep has come."""
    finished: bool
    curves: tuple[Curve, ...]
    clips: tuple[ClipRow, ...]
    """The clips inside the video, proposed or marked, by start."""
    unread: tuple[tuple[int, int], ...]
    """What could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSweep:
    """The video to go on with."""

    clip: ClipRow
    sweep: Sweep
    model: str


def read_settings(store: ProjectStore) -> ProposalSettings:
    """The project's settings for proposals."""
    return ProposalSettings.from_json(store.setting(SETTING))


def write_settings(settings: ProposalSettings, store: ProjectStore) -> None:
    store.set_setting(SETTING, settings.to_json())


def next_video(
    model: str, at_least_us: int, passed_over: frozenset[int], store: ProjectStore
) -> LongVideo | None:
    """The first long video whose sweep is not finished, or whose sweep was finished but never proposed from."""
    for video in store.sweeps.long_videos(model, at_least_us=at_least_us):
        if video.clip.video_id in passed_over:
            continue
        sweep = video.sweep
        if sweep is None or not sweep.finished or not store.sweeps.was_proposed_from(sweep):
            return video
    return None


def begin(model: str, clip: ClipRow, plan: SweepPlan, store: ProjectStore) -> None:
    """Makes sure that the sweep is there; asked for again with :func:`begun`."""
    store.sweeps.begin(model, clip.video_id, plan)


def begun(model: str, clip: ClipRow, store: ProjectStore) -> ToSweep | None:
    """The sweep that was begun."""
    sweep = store.sweeps.of_video(clip.video_id, model)
    return None if sweep is None else ToSweep(clip=clip, sweep=sweep, model=model)


def finished_sweep(row: ClipRow, store: ProjectStore) -> ToSweep | None:
    """The finished sweep of the project's model over a clip's video, to be proposed from again."""
    active = store.active_model()
    sweep = None if active is None else store.sweeps.of_video(row.video_id, active[0])
    whole = store.sweeps.whole(row.video_id)
    if sweep is None or whole is None or not sweep.finished:
        return None
    return ToSweep(clip=whole, sweep=sweep, model=sweep.model)


def keep_part(sweep: Sweep, part: m.SweepPart, store: ProjectStore) -> None:
    """Writes one part."""
    scores = base64.b64decode(part.scores)
    store.sweeps.add_part(sweep, part.first, windows=part.windows, scores=scores)


def proposals(sweep: Sweep, clip: ClipRow, store: ProjectStore) -> tuple[ProposedClip, ...]:
    """The clips to propose, their frames still by the rate."""
    curves = _Curves(store, sweep, duration_us=clip.end_us)
    found = curves.propose()
    frames = [
        (int(one.start_us * clip.fps / US_PER_SECOND), max(1, int(one.end_us * clip.fps / US_PER_SECOND)))
        for one in found
    ]
    return tuple(curves.as_clip(one, frames=range_) for one, range_ in zip(found, frames, strict=True))


def propose(
    sweep: Sweep, clips: Sequence[ProposedClip], keep: Collection[int], store: ProjectStore
) -> Changes:
    return store.sweeps.propose(sweep, clips, keep=keep)


def strip(row: ClipRow, store: ProjectStore) -> StripData | None:
    """What to show of the video of a clip; None where the project's model has not looked through it."""
    active = store.active_model()
    sweep = None if active is None else store.sweeps.of_video(row.video_id, active[0])
    whole = store.sweeps.whole(row.video_id)
    if sweep is None or whole is None or sweep.done == 0:
        return None
    curves = _Curves(store, sweep, duration_us=whole.end_us)
    return StripData(
        video_id=row.video_id,
        whole_id=whole.clip_id,
        duration_us=whole.end_us,
        looked_us=curves.looked_us,
        finished=sweep.finished,
        curves=curves.shown(),
        clips=store.sweeps.marked(row.video_id),
        unread=curves.unread(),
    )


class _Curves:
    """A sweep's stored windows, and what numpy makes of them. The first paint of the window does without numpy."""

    def __init__(self, store: ProjectStore, sweep: Sweep, *, duration_us: int) -> None:
        self._learning: Any = importlib.import_module("vidlabel.learning.proposals")
        self._labels = store.sweeps.labels(sweep)
        self._plan = sweep.plan(duration_us)
        self._settings = read_settings(store)
        self._temperature = _temperature(store, sweep.model)
        self._scores = self._learning.scores_from_bytes(store.sweeps.scores(sweep), len(self._labels))

    @property
    def looked_us(self) -> int:
        return self._plan.cell(0, len(self._scores))[1]

    def propose(self) -> Any:
        return self._learning.propose(
            self._scores,
            self._plan,
            labels=self._labels,
            settings=self._settings,
            temperature=self._temperature,
        )

    def as_clip(self, one: Any, *, frames: tuple[int, int]) -> ProposedClip:
        made: ProposedClip = self._learning.proposed_clip(
            one, self._scores, labels=self._labels, frames=frames
        )
        return made

    def shown(self) -> tuple[Curve, ...]:
        found = self._learning.strongest_curves(
            self._scores,
            self._plan,
            smooth_s=self._settings.smooth_s,
            curves=CURVES,
            points=COLUMNS,
            temperature=self._temperature,
        )
        return tuple(Curve(self._labels[label], array("d", values)) for label, values in found)

    def unread(self) -> tuple[tuple[int, int], ...]:
        return tuple(self._learning.not_looked_at(self._scores, self._plan))


def _temperature(store: ProjectStore, model: str) -> float:
    """Of the model's calibration: 'sure' means what the window shows."""
    calibration = store.calibrations.newest(model)
    return 1.0 if calibration is None else calibration.temperature
