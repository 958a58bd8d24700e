"""Whether a run's model is better than the active one: what was measured on the frozen test clips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One model on the test clips; shares in 0..1, None where there was nothing to measure.

    Attributes:
        model: its name.
        hash: its hash.
        top1, top5: share of clips whose label is the first, or among the first five.
        mean_class: mean over labels of the share that is right.
        ece: expected calibration error, 15 bins.
        confusion: (L, L), row the true label, column the suggested one.
        elsewhere: for each true label the clips for which a label outside the list was suggested, or none.
    """

    model: str
    hash: str
    top1: float | None
    top5: float | None
    mean_class: float | None
    ece: float | None
    confusion: tuple[tuple[int, ...], ...]
    elsewhere: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChange:
    """One label: its test clips, the recall of both models, and whether the change is worse than the bound."""

    label: str
    clips: int
    active: float
    candidate: float
    worse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Both models on the labels that both know: other clips left out, and no other label to choose from.

    Attributes:
        labels: how many labels both know.
        clips: test clips of these labels.
        active, candidate: top-1 of the two, 0..1.
        won, lost: how many clips only the candidate, or only the active model, has right.
        p_value, difference, interval: as in ``Proof``.
    """

    labels: int
    clips: int
    active: float
    candidate: float
    won: int
    lost: int
    p_value: float
    difference: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Candidate against active model, clip by clip.

    Every test clip that can be read counts for both. A clip whose label one of them does not know is one that it has
    wrong: it cannot suggest that label. Where the label lists differ, ``common`` has the same comparison without this.

    Attributes:
        snapshot: its hash.
        clips: test clips measured.
        unreadable: test clips that could not be read.
        labels: the label list of the snapshot, which is the candidate's.
        active, candidate: figures of the two.
        won, lost: clip ids that only the candidate, or only the active model, has right.
        p_value: of McNemar's exact test, two-sided.
        difference: candidate's top-1 less the active one's.
        interval: 95 % interval of the difference.
        interval_candidate: 95 % interval of the candidate's top-1.
        changes: each label with test clips, in the order of the label list.
        bound: recall a label may lose before it counts as worse, 0..1.
        seen_before: how many of the clips the active model was trained on; then the comparison favours it.
        seen_by_candidate: how many of the clips the candidate, or what it was made from, was trained on; then the
            comparison favours the candidate.
        unknown: labels of test clips that the active model does not know.
        forgotten: labels that the active model knows and the candidate does not.
        common: the comparison on what both know; None where the label lists are the same, or share nothing.
        sources: how many sources the clips are from.
    """

    snapshot: str
    clips: int
    unreadable: int
    labels: tuple[str, ...]
    active: Figures
    candidate: Figures
    won: tuple[int, ...]
    lost: tuple[int, ...]
    p_value: float
    difference: float
    interval: tuple[float, float]
    interval_candidate: tuple[float, float]
    changes: tuple[LabelChange, ...]
    bound: float
    seen_before: int = 0
    seen_by_candidate: int = 0
    unknown: tuple[str, ...] = ()
    forgotten: tuple[str, ...] = ()
    common: Paired | None = None
    sources: int = 0

    @property
    def worse(self) -> tuple[LabelChange, ...]:
        """Labels that lost more than the bound."""
        return tuple(change for change in self.changes if change.worse)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Proof:
        """The reverse of ``to_json``."""
        own = dict(content)
        for name in ("active", "candidate"):
            figures = dict(own[name])
            figures["confusion"] = tuple(tuple(row) for row in figures["confusion"])
            figures["elsewhere"] = tuple(figures.get("elsewhere", ()))
            own[name] = Figures(**figures)
        if own.get("common") is not None:
            common = dict(own["common"])
            own["common"] = Paired(**(common | {"interval": tuple(common["interval"])}))
        own["changes"] = tuple(LabelChange(**change) for change in own["changes"])
        for name in ("labels", "won", "lost", "interval", "interval_candidate", "unknown", "forgotten"):
            own[name] = tuple(own.get(name, ()))
        return cls(**own)
