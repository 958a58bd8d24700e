"""What a model said of many clips, and what that is worth where their labels are known. numpy only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.evaluation import ClipAnswer, Evaluated, LabelResult
from vidlabel.learning.recalibration import calibration_error, reliability_bins


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A model's whole answer for N clips.

    Attributes:
        clip_ids: int64 (N,), in the order asked.
        labels: L names, in the order of the columns.
        probabilities: float32 (N, L), each row adds up to 1; all 0 where the model had no numbers for the clip.
        unreadable: clips that could not be read, and why; they have no row.
        silent: clips that the model had no numbers for, and what it did instead; they have a row.
    """

    clip_ids: NDArray[np.int64]
    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]
    unreadable: Mapping[int, str] = field(default_factory=dict)
    silent: Mapping[int, str] = field(default_factory=dict)

    def under(self, names: Mapping[str, str]) -> Answers:
        """The same with labels under their present names; labels that are one now have their probabilities added.

        Args:
            names: present name by former name. A label that still has its own name is left alone.
        """
        renamed = [names.get(label, label) for label in self.labels]
        present = tuple(dict.fromkeys(renamed))
        if present == self.labels:
            return self
        place = {label: number for number, label in enumerate(present)}
        columns = np.zeros((len(self.clip_ids), len(present)), np.float32)
        for number, label in enumerate(renamed):
            columns[:, place[label]] += self.probabilities[:, number]
        return replace(self, labels=present, probabilities=columns)

    def among(self, labels: Sequence[str]) -> Answers:
        """The same as if it had only these of its labels to choose from."""
        place = {label: number for number, label in enumerate(self.labels)}
        kept = tuple(label for label in labels if label in place)
        columns = self.probabilities[:, [place[label] for label in kept]]
        whole = columns.sum(axis=1, keepdims=True)
        shares = np.divide(columns, whole, out=np.zeros_like(columns), where=whole > 0)
        return replace(self, labels=kept, probabilities=shares)


def judged(answers: Answers, truth: Mapping[int, str]) -> tuple[ClipAnswer, ...]:
    """Each clip's answer beside its true label, in the order of ``truth``; clips without an answer are left out.

    Of equal probabilities the label that stands earlier counts as the more probable, as on the screen.
    """
    place = {label: number for number, label in enumerate(answers.labels)}
    row_of = {int(clip_id): row for row, clip_id in enumerate(answers.clip_ids)}
    # Stable, so that equal ones stay in the order of the labels.
    order = np.argsort(-answers.probabilities, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(1, order.shape[1] + 1)[None, :], axis=1)
    found: list[ClipAnswer] = []
    for clip_id, label in truth.items():
        row = row_of.get(clip_id)
        if row is None:
            continue
        own = place.get(label)
        if clip_id in answers.silent or not answers.labels:
            found.append(ClipAnswer(clip_id, label, "", 0.0, 0.0, 0))
            continue
        first = int(order[row, 0])
        found.append(
            ClipAnswer(
                clip_id, label, answers.labels[first], float(answers.probabilities[row, first]),
                0.0 if own is None else float(answers.probabilities[row, own]),
                0 if own is None else int(rank[row, own]),
            )
        )  # fmt: skip
    return tuple(found)


def evaluated(
    model: str,
    model_hash: str,
    answers: Answers,
    *,
    truth: Mapping[int, str],
    project_labels: Sequence[str] = (),
    trained_on: int = 0,
    unhashed: int = 0,
) -> Evaluated:
    """All figures of a model on clips whose label is known.

    Args:
        model, model_hash: its name and key.
        answers: what it said, its labels under their present names.
        truth: label by clip; clips of a label that the model does not know are left out, and counted.
        project_labels: the project's label set.
        trained_on, unhashed: what is known of the measured clips, see ``Evaluated``.
    """
    known = set(answers.labels)
    measured = judged(answers, {clip: label for clip, label in truth.items() if label in known})
    confusion, _ = confusion_of(measured, answers.labels)
    bins = reliability_bins(*confidence_and_right(measured))
    left_out = Counter(label for label in truth.values() if label not in known)
    return Evaluated(
        model=model,
        hash=model_hash,
        clips=len(measured),
        labels=answers.labels,
        top1=share(measured, within=1),
        top5=share(measured, within=5),
        mean_class=mean_class(measured),
        ece=None if not measured else calibration_error(bins),
        confusion=confusion,
        figures=_figures(confusion, answers.labels),
        bins=bins,
        answers=measured,
        unreadable=tuple((clip, why) for clip, why in answers.unreadable.items() if clip in truth),
        left_out=dict(sorted(left_out.items())),
        only_in_model=tuple(label for label in answers.labels if label not in set(project_labels)),
        trained_on=trained_on,
        unhashed=unhashed,
    )


def share(answers: Sequence[ClipAnswer], *, within: int) -> float | None:
    """Share of clips whose label is among the first ``within``; None for no clips."""
    if not answers:
        return None
    return sum(0 < answer.rank <= within for answer in answers) / len(answers)


def mean_class(answers: Sequence[ClipAnswer]) -> float | None:
    """Mean over the labels of the share that is right: each label weighs the same; None for no clips."""
    recalls = recall_of(answers)
    return sum(recalls.values()) / len(recalls) if recalls else None


def recall_of(answers: Sequence[ClipAnswer]) -> dict[str, float]:
    """The share that is right of each label that has clips."""
    clips = Counter(answer.label for answer in answers)
    right = Counter(answer.label for answer in answers if answer.right)
    return {label: right[label] / count for label, count in clips.items()}


def error_of(answers: Sequence[ClipAnswer]) -> float | None:
    """The expected calibration error, 15 bins; None for no clips."""
    return calibration_error(reliability_bins(*confidence_and_right(answers))) if answers else None


def confidence_and_right(answers: Sequence[ClipAnswer]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(N,) of each first suggestion: how sure, 0..1, and whether it was right."""
    return (
        np.array([answer.probability for answer in answers], np.float64),
        np.array([answer.right for answer in answers], np.bool_),
    )


def confusion_of(
    answers: Sequence[ClipAnswer], labels: Sequence[str]
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Counts (L, L), row the true label, column the suggested one; and (L,) those suggested none of ``labels``."""
    place = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((len(labels), len(labels) + 1), np.int64)
    for answer in answers:
        counts[place[answer.label], place.get(answer.suggested, -1)] += 1
    rows = counts.tolist()
    return tuple(tuple(row[:-1]) for row in rows), tuple(row[-1] for row in rows)


def _figures(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> tuple[LabelResult, ...]:
    said = [sum(column) for column in zip(*confusion, strict=True)]
    return tuple(
        LabelResult(
            label,
            sum(row),
            row[place] / sum(row) if sum(row) else None,
            row[place] / said[place] if said[place] else None,
        )
        for place, (label, row) in enumerate(zip(labels, confusion, strict=True))
    )
