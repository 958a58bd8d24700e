"""The temperature under which a model's suggestions are shown in this project, as a value to apply."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, func, select

from vidlabel.core.confidence import calibrated_scores
from vidlabel.core.words import LabelScore
from vidlabel.store.schema import calibrations, clips, models, project

_DIGITS = 6
SHOWN, GONE = "shown", "gone"
"""Words of a calibration's details: every clip shows it; it holds no longer and waits to be taken off clips."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A model's calibration in force: its temperature, and how many labels the model tells apart."""

    temperature: float
    labels: int
    clips: int

    def applied(self, scores: Sequence[LabelScore]) -> tuple[LabelScore, ...]:
        """The scores with calibrated values beside the model's own."""
        shown = self._shown([score.probability for score in scores])
        return tuple(replace(score, calibrated=value) for score, value in zip(scores, shown, strict=True))

    def first(self, own: Sequence[float]) -> float | None:
        """The calibrated value of the first of a model's own probabilities."""
        return next(iter(self._shown(own)), None)

    def _shown(self, own: Sequence[float]) -> list[float]:
        shown = calibrated_scores(own, labels=self.labels, temperature=self.temperature)
        return [round(value, _DIGITS) for value in shown]


def scale_of(connection: Connection, model_id: int | None) -> Scale | None:
    """The calibration of a model; None where it has none."""
    found = connection.execute(
        select(calibrations.c.temperature, calibrations.c.clips, calibrations.c.details, models.c.labels)
        .join(models, models.c.id == calibrations.c.model_id)
        .where(models.c.id == model_id)
    ).first()
    if found is None or json.loads(found.details).get(GONE):
        return None
    return Scale(found.temperature, len(json.loads(found.labels)), found.clips)


def confidence_column(connection: Connection) -> ColumnElement[float | None]:
    """What filters and orders by confidence go by: what is shown of the active model's first suggestion."""
    details = connection.execute(
        select(calibrations.c.details).join(project, project.c.active_model_id == calibrations.c.model_id)
    ).scalar()
    if details is None:
        return clips.c.probability
    if json.loads(details).get(SHOWN):
        return clips.c.shown
    # While a new temperature is being taken over, which takes seconds in a large project.
    return func.coalesce(clips.c.shown, clips.c.probability)
