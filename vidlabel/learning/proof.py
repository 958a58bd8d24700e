"""The proof of a run: its model against the active one on the frozen test clips, clip by clip. numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vidlabel.core.evaluation import ClipAnswer
from vidlabel.core.proof import Figures, LabelChange, Paired, Proof
from vidlabel.core.snapshot import Snapshot
from vidlabel.learning.answers import (
    Answers,
    confusion_of,
    error_of,
    judged,
    mean_class,
    recall_of,
    share,
)
from vidlabel.learning.paired import mcnemar, paired_interval, wilson

BOUND = 0.1
"""Recall that a label may lose before it counts as worse."""
_ROUNDING = 1e-9


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One of the two models with what it said of the test clips, labels under their present names.

    ``trained_on``: hashes of the videos it, or what it was made from, was trained on.
    """

    model: str
    hash: str
    answers: Answers
    trained_on: frozenset[str] = frozenset()

    def seen(self, snapshot: Snapshot, clips: Mapping[int, str]) -> int:
        """How many of these clips are of videos that it was trained on."""
        own = (clip for clip in snapshot.of("test") if clip.clip_id in clips)
        return sum(clip.content_hash in self.trained_on for clip in own)


def compared(
    active: Contender,
    candidate: Contender,
    snapshot: Snapshot,
    *,
    bound: float = BOUND,
    names: Mapping[str, str] | None = None,
) -> Proof:
    """What the answers of both to the snapshot's test clips prove.

    A clip that one of the two could not read does not count for the other either.

    Args:
        active, candidate: what was said.
        snapshot: whose test clips they are.
        bound: recall a label may lose, 0..1.
        names: present name by former name of labels that were renamed since the snapshot was made.

    Raises:
        ValueError: the bound is not in 0..1.
    """
    present = names or {}
    if not 0 <= bound <= 1:
        raise ValueError("the bound is a share of 0..1")
    labels = tuple(dict.fromkeys(present.get(label, label) for label in snapshot.labels))
    test = {clip.clip_id: present.get(clip.label, clip.label) for clip in snapshot.of("test")}
    answered = _answered(active) & _answered(candidate)
    truth = {clip_id: label for clip_id, label in test.items() if clip_id in answered}
    before, after = judged(active.answers, truth), judged(candidate.answers, truth)
    won, lost = _apart(before, after)
    old, new = set(active.answers.labels), set(candidate.answers.labels)
    missing = set(truth.values()) - old
    return Proof(
        snapshot=snapshot.hash,
        clips=len(truth),
        unreadable=len(test) - len(truth),
        labels=labels,
        active=_figures(active, before, labels),
        candidate=_figures(candidate, after, labels),
        won=won,
        lost=lost,
        p_value=mcnemar(len(won), len(lost)),
        difference=_difference(len(won), len(lost), len(truth)),
        interval=paired_interval(len(won), len(lost), len(truth)),
        interval_candidate=wilson(sum(answer.right for answer in after), len(truth)),
        changes=_changes(before, after, labels=labels, bound=bound),
        bound=bound,
        seen_before=active.seen(snapshot, truth),
        seen_by_candidate=candidate.seen(snapshot, truth),
        unknown=tuple(label for label in labels if label in missing),
        forgotten=tuple(label for label in active.answers.labels if label not in new),
        common=None if old == new else _in_common(active, candidate, truth),
        sources=len({clip.source for clip in snapshot.of("test") if clip.clip_id in truth}),
    )


def _answered(one: Contender) -> set[int]:
    return set(one.answers.clip_ids.tolist())


def _apart(
    before: Sequence[ClipAnswer], after: Sequence[ClipAnswer]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Clips that only the candidate, and only the active model, has right; both sequences are of the same clips."""
    pairs = list(zip(before, after, strict=True))
    won = tuple(new.clip_id for old, new in pairs if new.right and not old.right)
    lost = tuple(old.clip_id for old, new in pairs if old.right and not new.right)
    return won, lost


def _difference(won: int, lost: int, clips: int) -> float:
    return (won - lost) / clips if clips else 0.0


def _figures(one: Contender, answers: Sequence[ClipAnswer], labels: Sequence[str]) -> Figures:
    confusion, elsewhere = confusion_of(answers, labels)
    return Figures(
        model=one.model,
        hash=one.hash,
        top1=share(answers, within=1),
        top5=share(answers, within=5),
        mean_class=mean_class(answers),
        ece=error_of(answers),
        confusion=confusion,
        elsewhere=elsewhere,
    )


def _changes(
    before: Sequence[ClipAnswer], after: Sequence[ClipAnswer], *, labels: Sequence[str], bound: float
) -> tuple[LabelChange, ...]:
    old, new = recall_of(before), recall_of(after)
    return tuple(
        LabelChange(
            label=label,
            clips=sum(answer.label == label for answer in after),
            active=old[label],
            candidate=new[label],
            worse=old[label] - new[label] > bound + _ROUNDING,
        )
        for label in labels
        if label in new
    )


def _in_common(active: Contender, candidate: Contender, truth: Mapping[int, str]) -> Paired | None:
    both = [label for label in candidate.answers.labels if label in set(active.answers.labels)]
    known = {clip_id: label for clip_id, label in truth.items() if label in set(both)}
    if not known:
        return None
    before = judged(active.answers.among(both), known)
    after = judged(candidate.answers.among(both), known)
    won, lost = (len(clips) for clips in _apart(before, after))
    return Paired(
        labels=len(both),
        clips=len(known),
        active=share(before, within=1) or 0.0,
        candidate=share(after, within=1) or 0.0,
        won=won,
        lost=lost,
        p_value=mcnemar(won, lost),
        difference=_difference(won, lost, len(known)),
        interval=paired_interval(won, lost, len(known)),
    )
