"""What is to be known before a run begins: what it would learn from, what is thin, and what it may take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from vidlabel.core.runs import TrainSettings, Tunes
from vidlabel.core.snapshot import PARTS, Part, Snapshot

FEW = 10
"""Fewer train clips than this teach a label little."""

_BEGIN_S = 20.0
"""Starting torch, reading the base, and reading both models for the proof; whatever the clips."""
_DECODE_S = 0.06
_FORWARD_S = 0.30
_GPU_FORWARD_S = 0.01
"""Rough seconds a clip on one core, and on a GPU; only where no run of this project has measured better."""
_TIMES_FORWARD: Mapping[Tunes, float] = {Tunes.HEAD: 0.002, Tunes.LAST: 1.6, Tunes.ALL: 3.0}
_CLIP_MB = 2.6
"""A decoded clip as it is cached: 16 frames of 232 x 232."""
_PROGRAM_MB, _BATCH_MB = 900, 150


@dataclass(frozen=True, slots=True)
class LabelCount:
    """Clips of one label in each part, and from how many sources they come."""

    label: str
    train: int
    validation: int
    test: int
    sources: int


@dataclass(frozen=True, slots=True)
class Leak:
    """``clips`` of ``of`` test clips come from a source that is learned from as well."""

    clips: int
    of: int

    @property
    def share(self) -> float:
        """0..1; 0 where there is no test clip."""
        return self.clips / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What a run would learn from.

    Attributes:
        counts: each label that has clips, in the order of the label set.
        too_small: labels with too few sources to be in every part; they stay in train.
        without_clips: labels of the project that the model would not know.
        missing: some of the labelled clips' files that are not there; ``missing_count`` is all of them.
        unreadable_count: labelled clips that cannot be decoded.
        left_out: what was left out and why, in words.
        near_duplicates: clips that show nearly the same as another one.
        not_compared: clips of which that is not known, for they have no embedding yet.
        leak, leak_random: of this split, and of the one that chance would make.
        frozen: test clips that were test before.
        blockers: why no run can begin with this.
        warnings: what a person should know before one does.
    """

    counts: tuple[LabelCount, ...]
    too_small: tuple[str, ...]
    without_clips: tuple[str, ...]
    missing: tuple[Path, ...]
    missing_count: int
    unreadable_count: int
    left_out: tuple[str, ...]
    near_duplicates: int
    leak: Leak
    leak_random: Leak
    frozen: int
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    not_compared: int = 0

    def total(self, part: Part) -> int:
        """Clips of one part."""
        return sum(getattr(count, part) for count in self.counts)

    def words(self) -> tuple[str, ...]:
        """Lines fit to be printed, the most important first."""
        train, validation, test = (self.total(part) for part in PARTS)
        lines = [
            *self.blockers,
            f"{train:,} clips to learn from, {validation:,} for validation, {test:,} for the test; "
            f"{len(self.counts)} label{'' if len(self.counts) == 1 else 's'}.",
        ]
        if self.frozen:
            lines.append(f"{self.frozen:,} of the test clips were test clips before and stay so.")
        if self.leak_random.clips and not self.leak.clips:
            lines.append(
                f"A random split would have put {self.leak_random.share:.0%} of its test clips beside train "
                "clips of the same source; here no source is in two parts."
            )
        return (*lines, *self.warnings, *self.left_out)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "missing": [str(path) for path in self.missing]}


def count_labels(snapshot: Snapshot) -> tuple[LabelCount, ...]:
    """Clips of each label by part, in the order of the label list."""
    counts: Counter[tuple[str, Part]] = Counter()
    sources: dict[str, set[str]] = defaultdict(set)
    for clip in snapshot.clips:
        counts[clip.label, clip.part] += 1
        sources[clip.label].add(clip.source)
    return tuple(
        LabelCount(
            label,
            counts[label, "train"],
            counts[label, "validation"],
            counts[label, "test"],
            len(sources[label]),
        )
        for label in snapshot.labels
    )


def leak_of(groups: Sequence[str], parts: Sequence[Part | None]) -> Leak:
    """How many test clips have a clip of their group in train."""
    learned = {group for group, part in zip(groups, parts, strict=True) if part == "train"}
    tested = [group for group, part in zip(groups, parts, strict=True) if part == "test"]
    return Leak(sum(group in learned for group in tested), len(tested))


def blockers_of(counts: Sequence[LabelCount]) -> tuple[str, ...]:
    """Why no run can begin."""
    train = [count for count in counts if count.train]
    if not counts:
        return ("No clip has a label yet. Label some first.",)
    if len(train) < 2:
        return ("Only one label has clips to learn from; a model needs two. Label clips of another.",)
    if not any(count.validation for count in counts):
        return (
            "There are no validation clips: no label has clips of enough different sources to be in every part "
            "(three at least). Label clips from more videos, name the sources otherwise, or split at random.",
        )
    return ()


def warnings_of(counts: Sequence[LabelCount], too_small: Sequence[str], leak: Leak) -> tuple[str, ...]:
    """What a person should know before a run begins."""
    found: list[str] = []
    if counts and not any(count.test for count in counts):
        found.append("There are no test clips: nothing will prove whether the model got better.")
    if too_small:
        found.append(
            f"Too few sources to be in every part: {listed(too_small)}. What is missing there is not measured."
        )
    few = [count.label for count in counts if 0 < count.train < FEW]
    if few:
        found.append(f"Fewer than {FEW} clips to learn from: {listed(few)}.")
    none = [count.label for count in counts if not count.train]
    if none:
        found.append(f"Nothing to learn from, for all clips are held out: {listed(none)}.")
    if leak.clips:
        found.append(
            f"{leak.share:.0%} of the test clips ({leak.clips:,} of {leak.of:,}) come from a source that is also "
            "learned from: the result will look better than it is."
        )
    return tuple(found)


def listed(names: Sequence[str], most: int = 6) -> str:
    """'wave, run and 4 more'."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


class Measured(Protocol):
    """A run that has been measured; run records are."""

    @property
    def settings(self) -> TrainSettings: ...
    @property
    def seconds_a_clip(self) -> float | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run may take; no promise. ``measured``: from an earlier run of the same kind, else from rules of thumb."""

    seconds: float
    seconds_first_epoch: float
    memory_mb: int
    cache_mb: int
    measured: bool
    words: str


def estimate(
    snapshot: Snapshot,
    settings: TrainSettings,
    *,
    records: Sequence[Measured] = (),
    cpus: int = 1,
    gpu: bool = False,
) -> Estimate:
    """Time, memory and room on the disk that a run may need.

    Args:
        snapshot: what it would learn from.
        settings: how.
        records: earlier runs; the newest of the same kind that was measured is believed.
        cpus: cores of the machine.
        gpu: whether the network would run on one.
    """
    train, held = len(snapshot.of("train")), len(snapshot.of("validation"))
    kind = (settings.tunes, settings.device, settings.base)
    same = [one for one in records if (one.settings.tunes, one.settings.device, one.settings.base) == kind]
    known = next((one.seconds_a_clip for one in reversed(same) if one.seconds_a_clip), None)
    forward = _GPU_FORWARD_S if gpu else _FORWARD_S / cpus
    clip = known or forward * _TIMES_FORWARD[settings.tunes]
    seen = clip * train + (held * forward if settings.tunes is not Tunes.HEAD else 0)
    decoding = (train + held) * _DECODE_S / cpus
    once = (train + held) * forward if settings.tunes is Tunes.HEAD else 0.0
    proof = len(snapshot.of("test")) * 2 * (forward + _DECODE_S / cpus)
    seconds = _BEGIN_S + decoding + once + settings.epochs * seen + proof
    cached = 0 if settings.tunes is Tunes.HEAD else (train + held) * _CLIP_MB
    batch = _BATCH_MB * (settings.batch or 8) * (0.2 if settings.tunes is Tunes.HEAD else 1.0)
    source = "as an earlier run took" if known else "by rule of thumb; the run itself will tell better"
    return Estimate(
        seconds=seconds,
        seconds_first_epoch=decoding + once + seen,
        memory_mb=round(_PROGRAM_MB + batch),
        cache_mb=round(min(cached, settings.cache_gb * 1000)),
        measured=known is not None,
        words=f"about {_length(seconds)} if all {settings.epochs:,} epochs run, {source}",
    )


def _length(seconds: float) -> str:
    """``40 s``, ``12 min``, ``2 h 10 min``: no finer than a guess may be."""
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
