"""What a model says of clips whose label is known: the figures of an evaluation, and every answer behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from vidlabel.core.errors import FormatError
from vidlabel.core.words import ReliabilityBin

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ClipAnswer:
    """What a model said of one clip.

    Attributes:
        clip_id: of the project.
        label: the true one.
        suggested: the model's first; "" where it had no numbers for the clip.
        probability: of ``suggested``, the model's own, 0..1.
        own: the probability the model gave the true label, 0..1.
        rank: the place of the true label among what it said, from 1; 0 where the model does not know it, or
            had no numbers.
    """

    clip_id: int
    label: str
    suggested: str
    probability: float
    own: float
    rank: int

    @property
    def right(self) -> bool:
        return self.rank == 1


@dataclass(frozen=True, slots=True)
class LabelResult:
    """One label: its clips, the share of them recognised, the share of its suggestions that were right."""

    label: str
    clips: int
    recall: float | None
    precision: float | None


class InForce(NamedTuple):
    """The calibration of a model that a project has: its temperature, and on how many clips it was fitted."""

    temperature: float
    fitted_on: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedFigures:
    """The confidence that a person is shown, measured on the same clips as the model's own.

    Attributes:
        temperature: of the calibration in force when the clips were measured.
        fitted_on: so many decided clips it was fitted on; the measured ones may be among them.
        ece, bins: as those of ``Evaluated``, of the calibrated confidence.
        shown: of each answer's first suggestion, 0..1, in the order of ``Evaluated.answers``.
    """

    temperature: float
    fitted_on: int
    ece: float | None
    bins: tuple[ReliabilityBin, ...]
    shown: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """A model measured on decided clips; shares in 0..1, None where there was nothing to measure.

    Clips whose label the model does not know are not measured: they are ``left_out``.

    Attributes:
        model: its name.
        hash: its key (``core.model_key``).
        clips: how many were measured.
        labels: every label the model knows, under the names the project has for them, in the model's order.
        top1, top5: share of clips whose label is the first, or among the first five.
        mean_class: mean over the labels with clips of the share that is right.
        ece: expected calibration error of the model's own probabilities, 15 bins.
        confusion: (L, L), row the true label, column the suggested one.
        figures: of each label, in the order of ``labels``.
        bins: of the reliability plot of the model's own probabilities.
        answers: of each clip measured, in the order asked.
        unreadable: clip and reason.
        left_out: label that the model does not know, and how many clips have it.
        only_in_model: labels of the model that the project does not have.
        trained_on: how many of the clips are of videos the model was trained on.
        unhashed: how many of the clips are of videos of which that cannot be told yet.
        calibrated: the same of the confidence that is shown; None where the project has no calibration of it.
    """

    model: str
    hash: str
    clips: int
    labels: tuple[str, ...]
    top1: float | None
    top5: float | None
    mean_class: float | None
    ece: float | None
    confusion: tuple[tuple[int, ...], ...]
    figures: tuple[LabelResult, ...]
    bins: tuple[ReliabilityBin, ...]
    answers: tuple[ClipAnswer, ...]
    unreadable: tuple[tuple[int, str], ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    only_in_model: tuple[str, ...] = ()
    trained_on: int = 0
    unhashed: int = 0
    calibrated: CalibratedFigures | None = None

    @property
    def used(self) -> tuple[int, ...]:
        """Places in ``labels`` of those that a clip has or that were suggested: what a matrix needs to show."""
        columns = [sum(column) for column in zip(*self.confusion, strict=True)]
        return tuple(place for place, row in enumerate(self.confusion) if any(row) or columns[place])

    def to_json(self) -> dict[str, Any]:
        """Plain values; a clip's answer is a list in the order of its attributes."""
        names = ("model", "hash", "clips", "top1", "top5", "mean_class", "ece", "trained_on", "unhashed")
        return {
            "format": FORMAT,
            **{name: getattr(self, name) for name in names},
            "left_out": dict(self.left_out),
            "only_in_model": list(self.only_in_model),
            "unreadable": [list(one) for one in self.unreadable],
            "labels": [asdict(one) for one in self.figures],
            "confusion": [list(row) for row in self.confusion],
            "bins": [asdict(one) for one in self.bins],
            "answers": [list(astuple(one)) for one in self.answers],
            "calibrated": None if self.calibrated is None else asdict(self.calibrated),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], path: Path) -> Evaluated:
        """The reverse of ``to_json``; ``path`` is the file it was read from, for the words of an error.

        Raises:
            FormatError: it is not an evaluation, or one of a newer program.
        """
        if content.get("format") != FORMAT:
            raise FormatError(path, "it is no evaluation of this version of vidlabel. Evaluate again.")
        names = ("model", "hash", "clips", "top1", "top5", "mean_class", "ece", "trained_on", "unhashed")
        try:
            figures = tuple(LabelResult(**one) for one in content["labels"])
            return cls(
                **{name: content[name] for name in names},
                labels=tuple(one.label for one in figures),
                figures=figures,
                confusion=tuple(tuple(row) for row in content["confusion"]),
                bins=tuple(ReliabilityBin(**one) for one in content["bins"]),
                answers=tuple(ClipAnswer(*one) for one in content["answers"]),
                unreadable=tuple((int(one[0]), str(one[1])) for one in content["unreadable"]),
                left_out=dict(content["left_out"]),
                only_in_model=tuple(content["only_in_model"]),
                calibrated=_calibrated(content.get("calibrated")),
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FormatError(path, f"the evaluation is damaged ({error}). Evaluate again.") from error


def _calibrated(content: Mapping[str, Any] | None) -> CalibratedFigures | None:
    if content is None:
        return None
    return CalibratedFigures(
        temperature=float(content["temperature"]),
        fitted_on=int(content["fitted_on"]),
        ece=content["ece"],
        bins=tuple(ReliabilityBin(**one) for one in content["bins"]),
        shown=tuple(float(one) for one in content["shown"]),
    )
