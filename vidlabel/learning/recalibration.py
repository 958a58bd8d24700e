"""The calibration of a model in a project, from what people decided there; measured only on held-out clips.

One temperature a model (Guo et al. 2017, "On Calibration of Modern Neural Networks"), read from what is kept of
each suggestion as ``core/confidence.py`` says. Reported error and reliability bins come from cross-validation
over sources: each clip is measured with a temperature that was fitted without its source.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.confidence import SMALLEST, ScoredClip, rest_each
from vidlabel.core.time import now_us
from vidlabel.core.words import Calibration, CalibrationState, Changes, ReliabilityBin
from vidlabel.learning.metrics import CALIBRATION_BINS
from vidlabel.learning.split import hmdb51_group

FEWEST_CLIPS = 30
FEWEST_LABELS = 2
FOLDS = 5
_COLDEST, _HOTTEST = 0.05, 20.0
_PRIOR = 0.5
"""Standard deviation of the logarithm of the temperature before any clip is seen: few clips, all right, must not
make a model certain of everything."""
_GRID = 25
_SAME = 0.02
"""A temperature is taken for another only if it differs by 2 %: each other one is a write to every clip."""

Logs = NDArray[np.float64]


def state_of(model: str, clips: Sequence[ScoredClip], calibration: Calibration | None) -> CalibrationState:
    """What is to be said of a model's calibration.

    Args:
        model: its hash.
        clips: those it can be measured on.
        calibration: the one in force.
    """
    missing = max(0, FEWEST_CLIPS - len(clips))
    one_label = not missing and len({clip.label for clip in clips}) < FEWEST_LABELS
    if calibration is not None:
        words = f"calibrated on {_clips(calibration.clips)}"
    elif one_label:
        words = "not calibrated: all decided clips have one label; decide some of another"
    elif missing:
        words = f"not calibrated: {missing} more decision{'s' if missing != 1 else ''} needed"
    else:
        words = "not calibrated yet"
    return CalibrationState(
        model=model, calibration=calibration, usable=len(clips), missing=missing, words=words
    )


def fit_calibration(
    model: str, clips: Sequence[ScoredClip], *, labels: int, before: Calibration | None = None
) -> Calibration | None:
    """The calibration of a model, or None where there are too few clips or labels for one.

    Args:
        model: its hash.
        clips: decided ones that it was not trained on.
        labels: how many the model tells apart.
        before: the calibration so far; its temperature stays where the new one is as good as the same.
    """
    if len(clips) < FEWEST_CLIPS or len({clip.label for clip in clips}) < FEWEST_LABELS:
        return None
    read = _Readings.of(clips, labels)
    temperature = _fitted(read)
    if before is not None and abs(math.log(temperature / before.temperature)) < _SAME:
        temperature = before.temperature
    right = np.array([clip.right == 0 for clip in clips])
    own = read.confidence(1.0)
    bins_before = reliability_bins(own, right)
    bins_after = reliability_bins(_held_out(read, folds(clips)), right)
    return Calibration(
        model=model,
        temperature=round(temperature, 4),
        clips=len(clips),
        ece_before=round(calibration_error(bins_before), 6),
        ece_after=round(calibration_error(bins_after), 6),
        bins_before=bins_before,
        bins_after=bins_after,
        fitted_at_us=now_us(),
    )


def reliability_bins(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], *, bins: int = CALIBRATION_BINS
) -> tuple[ReliabilityBin, ...]:
    """The bars of a reliability plot: bins of equal width, closed above.

    Args:
        confidence: (N,), 0..1, of each first suggestion.
        right: (N,), whether it was right.
        bins: how many, 1 or more.
    """
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    made: list[ReliabilityBin] = []
    for number in range(bins):
        own = place == number
        count = int(own.sum())
        made.append(
            ReliabilityBin(
                low=number / bins,
                high=(number + 1) / bins,
                clips=count,
                confidence=round(float(confidence[own].mean()), 6) if count else None,
                accuracy=round(float(right[own].mean()), 6) if count else None,
            )
        )
    return tuple(made)


def calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """Mean distance of confidence and accuracy over the bins, weighted by clips: the ECE, 0..1; nan for none."""
    clips = sum(one.clips for one in bins)
    if not clips:
        return float("nan")
    distances = (abs((one.confidence or 0.0) - (one.accuracy or 0.0)) * one.clips for one in bins)
    return math.fsum(distances) / clips


def folds(clips: Sequence[ScoredClip], *, count: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each clip, (N,) of 0..count - 1: whole sources, dealt so that folds are about as large.

    Clips of one video are of one source, and so are HMDB51's clips of one film. Where everything is of one
    source (parts of a single long video) the clips are dealt in runs, as they were decided.
    """
    own_labels = tuple(sorted({clip.label for clip in clips}))
    sources = [_source(clip.source, own_labels) for clip in clips]
    sizes = Counter(sources)
    if len(sizes) == 1:
        return np.arange(len(clips)) * count // max(1, len(clips))
    names = sorted(sizes)
    random.Random(0).shuffle(names)
    names.sort(key=lambda name: -sizes[name])
    load = [0] * count
    home: dict[str, int] = {}
    for name in names:
        home[name] = load.index(min(load))
        load[home[name]] += sizes[name]
    return np.array([home[source] for source in sources], np.int64)


@lru_cache(maxsize=20_000)
def _source(name: str, labels: tuple[str, ...]) -> str:
    return hmdb51_group(name, labels)


@dataclass(frozen=True)
class _Readings:
    """What is kept of N suggestions, as logarithms.

    Attributes:
        kept: (N, K), -inf where a suggestion has fewer.
        rest: (N,), of each label not kept.
        others: (N,), how many those are.
        own: (N,), of the decided label.
    """

    kept: Logs
    rest: Logs
    others: Logs
    own: Logs

    @classmethod
    def of(cls, clips: Sequence[ScoredClip], labels: int) -> _Readings:
        kept = np.full((len(clips), max(len(clip.kept) for clip in clips)), -np.inf)
        rest, others, own = np.zeros(len(clips)), np.zeros(len(clips)), np.zeros(len(clips))
        for number, clip in enumerate(clips):
            kept[number, : len(clip.kept)] = np.log(np.maximum(clip.kept, SMALLEST))
            others[number] = max(labels - len(clip.kept), 0)
            # With nothing left over, a label that the model does not know counts as the least of those it does.
            each = rest_each(clip.kept, int(others[number])) or max(min(clip.kept), SMALLEST)
            rest[number] = math.log(each)
            own[number] = rest[number] if clip.right is None else kept[number, clip.right]
        return cls(kept, rest, others, own)

    def some(self, chosen: NDArray[np.bool_]) -> _Readings:
        return _Readings(self.kept[chosen], self.rest[chosen], self.others[chosen], self.own[chosen])

    def _whole(self, inverse: float) -> Logs:
        """The logarithm of what all labels add up to."""
        highest = self.kept[:, 0]
        kept = np.exp((self.kept - highest[:, None]) * inverse).sum(axis=1)
        whole: Logs = np.log(kept + self.others * np.exp((self.rest - highest) * inverse)) + highest * inverse
        return whole

    def confidence(self, temperature: float) -> NDArray[np.float64]:
        """(N,): the calibrated probability of each first suggestion."""
        first: NDArray[np.float64] = np.exp(self.kept[:, 0] / temperature - self._whole(1 / temperature))
        return first

    def surprise(self, temperature: float) -> float:
        """By how much the decisions surprise, with what is believed of temperatures beforehand: to be least."""
        inverse = 1 / temperature
        return (
            float(np.sum(self._whole(inverse) - self.own * inverse))
            + 0.5 * (math.log(temperature) / _PRIOR) ** 2
        )


def _fitted(read: _Readings) -> float:
    """The least surprising temperature, 0.05..20: the best of a grid, then golden-section search beside it."""
    grid = np.linspace(math.log(_COLDEST), math.log(_HOTTEST), _GRID)
    best = int(np.argmin([read.surprise(math.exp(place)) for place in grid]))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, _GRID - 1)])
    golden = (5**0.5 - 1) / 2
    while high - low > 1e-4:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if read.surprise(math.exp(left)) <= read.surprise(math.exp(right)):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def _held_out(read: _Readings, home: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,): the confidence of each clip under the temperature that the other folds ask for."""
    shown = np.empty(len(home))
    for fold in np.unique(home):
        out = home == fold
        shown[out] = read.some(out).confidence(_fitted(read.some(~out)))
    return shown


class MeasurableClips(Protocol):
    """What the store answers of a model's decided clips."""

    @property
    def clips(self) -> tuple[ScoredClip, ...]: ...

    @property
    def labels(self) -> int: ...


class CalibrationTable(Protocol):
    """The part of the store that a refresh needs."""

    def newest(self, model_hash: str) -> Calibration | None: ...

    def measurable(self, model_hash: str) -> MeasurableClips: ...

    def keep(self, calibration: Calibration) -> Changes: ...

    def forget(self, model_hash: str) -> Changes: ...

    def is_shown(self, model_hash: str) -> bool: ...

    def show_some(self, model_hash: str, *, after: int, limit: int) -> int | None: ...


def refreshed(table: CalibrationTable, model: str) -> tuple[CalibrationState, Calibration | None]:
    """What a model's calibration is to be by now, not written yet: its state, and the new one if there is one."""
    measurable = table.measurable(model)
    before = table.newest(model)
    new = fit_calibration(model, measurable.clips, labels=measurable.labels, before=before)
    return state_of(model, measurable.clips, new), new


def refresh(table: CalibrationTable, model: str, *, at_once: int = 2000) -> CalibrationState:
    """Fits a model's calibration anew, keeps it, and takes it over to all clips, a batch at a time.

    Raises:
        ProjectError: it cannot be written.
    """
    state, new = refreshed(table, model)
    if new is not None:
        table.keep(new)
    elif table.newest(model) is not None:
        table.forget(model)
    after: int | None = None if table.is_shown(model) else 0
    while after is not None:
        after = table.show_some(model, after=after, limit=at_once)
    return state


def _clips(count: int) -> str:
    return f"{count:,} decided clip{'s' if count != 1 else ''}"
