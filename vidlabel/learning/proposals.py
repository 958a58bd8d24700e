"""From a model's word on each window of a sweep to clips worth a person's look.

The curve of each label is averaged over time; a clip begins and ends where the curve crosses the lower of two
thresholds, and counts only if it also reaches the higher one (hysteresis thresholding: Canny, "A computational
approach to edge detection", 1986, along time). Windows that could not be looked at are NaN: they are in no clip,
they are in no average, and nothing is joined across them, since what was not seen is neither a label nor none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.sweeps import Proposal, ProposalSettings, ProposedClip, SweepPlan, without_gaps
from vidlabel.core.time import US_PER_SECOND
from vidlabel.core.words import LabelScore
from vidlabel.learning.calibration import calibrated
from vidlabel.learning.order import entropy, margin

Float32 = NDArray[np.float32]
Bool = NDArray[np.bool_]
_Piece = tuple[int, int, int]
"""(label, first window, last exclusive)"""
_DIGITS = 6


def scores_from_bytes(raw: bytes, labels: int) -> NDArray[np.float16]:
    """Stored windows: float16 (windows, labels), read-only; NaN rows were not looked at."""
    return np.frombuffer(raw, dtype="<f2").reshape(-1, labels)


def scores_to_bytes(probabilities: NDArray[np.floating]) -> bytes:
    """The inverse, from float (windows, labels)."""
    return probabilities.astype("<f2").tobytes()


def looked_at(probabilities: NDArray[np.floating]) -> Bool:
    """bool (windows,): False where a window could not be read."""
    seen: Bool = ~np.isnan(probabilities).any(axis=1)
    return seen


def not_looked_at(probabilities: NDArray[np.floating], plan: SweepPlan) -> list[tuple[int, int]]:
    """The stretches of time, in µs, whose windows could not be read."""
    missing = np.flatnonzero(~looked_at(probabilities))
    return without_gaps([plan.cell(int(number)) for number in missing])


def smoothed(probabilities: NDArray[np.floating], plan: SweepPlan, smooth_s: float) -> Float32:
    """The curves averaged over ``smooth_s`` seconds around each window.

    Args:
        probabilities: float (windows, labels); NaN rows take no part and stay NaN.
        plan: the sweep's windows.
        smooth_s: seconds, from 0.

    Returns:
        float32 (windows, labels).
    """
    values = probabilities.astype(np.float32)
    reach = round(smooth_s * US_PER_SECOND / plan.step_us) // 2
    seen = looked_at(values)
    if reach == 0 or not seen.any():
        return values
    # Sums in float64: a long video's running sum would lose digits in float32.
    summed = np.concatenate(
        [
            np.zeros((1, values.shape[1])),
            np.cumsum(np.where(seen[:, None], values, 0), axis=0, dtype=np.float64),
        ]
    )
    counted = np.concatenate([[0], np.cumsum(seen)])
    places = np.arange(len(values))
    first, end = np.maximum(places - reach, 0), np.minimum(places + reach + 1, len(values))
    count = np.maximum(counted[end] - counted[first], 1)
    mean: Float32 = ((summed[end] - summed[first]) / count[:, None]).astype(np.float32)
    mean[~seen] = np.nan
    return mean


def strongest_curves(
    probabilities: NDArray[np.floating],
    plan: SweepPlan,
    *,
    smooth_s: float,
    curves: int,
    points: int,
    temperature: float = 1.0,
) -> list[tuple[int, list[float]]]:
    """The labels that are strongest for the longest, each with its curve over the whole video.

    Args:
        probabilities: as for :func:`propose`.
        plan: the sweep's windows.
        smooth_s: as in ``ProposalSettings``.
        curves: how many labels at most.
        points: values a curve at most; each is the highest of the windows that fall together.
        temperature: as for :func:`propose`.

    Returns:
        (label, values 0..1 at even distances over the plan's windows; NaN where not looked at (yet)).
    """
    values = _curves(probabilities, plan, smooth_s, temperature)
    seen = looked_at(values)
    if not seen.any():
        return []
    best = np.where(seen[:, None], values, 0)
    first = np.zeros(best.shape[1])
    np.add.at(first, best[seen].argmax(axis=1), best[seen].max(axis=1))
    chosen = [int(label) for label in np.argsort(-first, kind="stable")[:curves] if first[label] > 0]
    edges = np.linspace(0, plan.windows, min(points, plan.windows) + 1).astype(np.int64)
    return [(label, [_highest(values[a:b, label]) for a, b in pairwise(edges)]) for label in chosen]


def _highest(values: Float32) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else float("nan")


def _curves(
    probabilities: NDArray[np.floating], plan: SweepPlan, smooth_s: float, temperature: float
) -> Float32:
    values = probabilities.astype(np.float32)
    return smoothed(values if temperature == 1.0 else calibrated(values, temperature), plan, smooth_s)


def propose(
    probabilities: NDArray[np.floating],
    plan: SweepPlan,
    *,
    labels: Sequence[str],
    settings: ProposalSettings,
    temperature: float = 1.0,
) -> list[Proposal]:
    """The clips to propose, in the order of time; they never overlap.

    Args:
        probabilities: float (windows, labels), the windows ``[0, windows)`` of the plan, perhaps not all of them
            yet; NaN rows were not looked at.
        plan: the sweep's windows.
        labels: the model's, in its order.
        settings: thresholds and lengths.
        temperature: of the model's calibration, so that 'sure' means what the window shows.

    Raises:
        ValueError: the probabilities are not of this plan or these labels.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != len(labels) or len(probabilities) > plan.windows:
        raise ValueError(f"{probabilities.shape} are not the windows of this sweep")
    if len(probabilities) == 0:
        return []
    curves = _curves(probabilities, plan, settings.smooth_s, temperature)
    claims = np.zeros(curves.shape, dtype=np.bool_)
    for label, first, end in _runs(curves, plan, settings):
        claims[first:end, label] = True
    owner, pieces = _pieces(claims, curves, plan, settings)
    seen = looked_at(curves)
    found: list[Proposal] = []
    for label, first, end in pieces:
        start_us, end_us = _times(curves[:, label], plan, settings.end_sure, (owner < 0) & seen, first, end)
        found.append(
            Proposal(
                start_us=start_us, end_us=end_us, label=labels[label],
                confidence=round(float(curves[first:end, label].mean()), 6), first=first, last=end,
            )
        )  # fmt: skip
    return _apart(sorted(found, key=lambda proposal: proposal.start_us))


def _pieces(
    claims: Bool, curves: Float32, plan: SweepPlan, settings: ProposalSettings
) -> tuple[NDArray[np.int64], list[_Piece]]:
    """Each window goes to the surest of the labels that claim it; what is left of a claim must still be a clip.

    What is not gives its windows back to the next surest. Answers the owner of each window (-1: none), too.
    """
    least = settings.shortest_s * US_PER_SECOND
    while True:
        strength = np.where(claims, curves, -1.0)
        owner = np.where(claims.any(axis=1), strength.argmax(axis=1), -1)
        pieces = [
            (int(label), first, end)
            for label in np.unique(owner[owner >= 0])
            for first, end in _stretches(owner == label)
        ]
        kept = []
        for label, first, end in pieces:
            cell = plan.cell(first, end)
            if curves[first:end, label].max() >= settings.start_sure and cell[1] - cell[0] >= least:
                kept.append((label, first, end))
            else:
                claims[first:end, label] = False
        if len(kept) == len(pieces):
            return owner, pieces


def _apart(found: list[Proposal]) -> list[Proposal]:
    """Two that touch share the middle of what both claim: a cell's edge lies between two crossings."""
    for place in range(1, len(found)):
        before, after = found[place - 1], found[place]
        if before.end_us > after.start_us:
            middle = (before.end_us + after.start_us) // 2
            found[place - 1], found[place] = replace(before, end_us=middle), replace(after, start_us=middle)
    return found


def proposed_clip(
    proposal: Proposal,
    probabilities: NDArray[np.floating],
    *,
    labels: Sequence[str],
    frames: tuple[int, int],
    top_k: int = 10,
) -> ProposedClip:
    """A proposal as a clip: the model's word on it is the mean of its words on the clip's windows.

    Args:
        proposal: from :func:`propose`.
        probabilities: float (windows, labels), the model's own, as given there.
        labels: the model's, in its order.
        frames: first frame and end (exclusive) of the proposal.
        top_k: how many labels to keep.
    """
    mean = probabilities[proposal.first : proposal.last].astype(np.float64).mean(axis=0)
    mean = np.round(mean / mean.sum(), _DIGITS)
    best = np.argsort(-mean, kind="stable")[:top_k]
    return ProposedClip(
        start_us=proposal.start_us,
        end_us=proposal.end_us,
        frames=frames,
        scores=tuple(LabelScore(labels[place], float(mean[place])) for place in best),
        margin=round(float(margin(mean)), _DIGITS),
        entropy=round(float(entropy(mean)), _DIGITS),
    )


def _runs(curves: Float32, plan: SweepPlan, settings: ProposalSettings) -> Iterator[_Piece]:
    """Where a label stays above the lower threshold and reaches the higher one, gaps joined."""
    seen = looked_at(curves)
    known = np.where(np.isnan(curves), 0, curves)
    for label in np.flatnonzero(known.max(axis=0) >= settings.start_sure).tolist():
        curve = known[:, label]
        # Joined first, then asked whether it is sure enough: each part alone need not be.
        stretches = _stretches(curve >= settings.end_sure)
        for first, end in _joined(stretches, seen, plan, settings.join_gaps_s):
            if curve[first:end].max() >= settings.start_sure:
                yield label, first, end


def _stretches(mask: Bool) -> list[tuple[int, int]]:
    """Where a mask is True: [first, end) each."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _joined(
    stretches: list[tuple[int, int]], seen: Bool, plan: SweepPlan, gap_s: float
) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, end in stretches:
        if joined:
            before = joined[-1][1]
            short = (first - before) * plan.step_us <= gap_s * US_PER_SECOND
            if short and seen[before:first].all():
                joined[-1] = (joined[-1][0], end)
                continue
        joined.append((first, end))
    return joined


def _times(
    curve: Float32, plan: SweepPlan, threshold: float, free: Bool, first: int, end: int
) -> tuple[int, int]:
    """When the curve of windows [first, end) crosses the threshold, between the centres of two windows.

    At the ends of the video, of what was looked at, and beside another clip it is the edge of the cell.
    """
    start_us, end_us = plan.cell(first, end)
    if first > 0 and free[first - 1]:
        start_us += round((_crossing(curve[first - 1], curve[first], threshold) - 0.5) * plan.step_us)
    if end < len(curve) and free[end]:
        end_us -= round((_crossing(curve[end], curve[end - 1], threshold) - 0.5) * plan.step_us)
    start_us, end_us = max(0, start_us), min(plan.duration_us, end_us)
    return start_us, max(end_us, start_us + 1)


def _crossing(outside: np.float32, inside: np.float32, threshold: float) -> float:
    """How far on the way from outside (below) to inside (above) a straight line meets the threshold: 0..1."""
    if not outside < threshold <= inside:
        return 0.5
    return float((threshold - outside) / (inside - outside))
