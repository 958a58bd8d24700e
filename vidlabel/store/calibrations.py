"""Calibrations of the project's models: what they are measured on, the newest of each, and what clips show of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from vidlabel.core.confidence import ScoredClip
from vidlabel.core.model_card import trained_on
from vidlabel.core.words import Calibration, Changes, ReliabilityBin
from vidlabel.store.engine import Database
from vidlabel.store.label_state import read_state
from vidlabel.store.rows import AnyRow
from vidlabel.store.schema import (
    calibrations,
    clips,
    decisions,
    models,
    suggestions,
    videos,
)
from vidlabel.store.suggestions import said_today
from vidlabel.store.temperature import GONE, SHOWN, Scale, scale_of

MOST_CLIPS = 5000
"""So many decided clips, the newest, are more than one temperature needs."""
_SHOW = (
    update(clips)
    .where(clips.c.id == bindparam("of_clip"), clips.c.model_id == bindparam("of_model"))
    .values(shown=bindparam("value"))
)


@dataclass(frozen=True, slots=True)
class Measurable:
    """The decided clips a model's confidence can be measured on, newest first.

    ``labels`` is how many the model tells apart. Left out are ``trained`` clips, which the model was trained
    on, and ``unhashed`` ones, of which that cannot be told before their whole content has been hashed.
    """

    clips: tuple[ScoredClip, ...]
    labels: int
    trained: int
    unhashed: int


class Calibrations:
    """The door to the calibrations; each method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def newest(self, model_hash: str) -> Calibration | None:
        """The calibration in force of a model."""
        with self._database.read() as connection:
            found = connection.execute(
                select(calibrations)
                .join(models, models.c.id == calibrations.c.model_id)
                .where(models.c.hash == model_hash)
            ).first()
        return None if found is None else _calibration(found, model_hash)

    def measurable(self, model_hash: str) -> Measurable:
        """What the calibration of a model is fitted on; nothing for a model the project does not know."""
        with self._database.read() as connection:
            model = connection.execute(select(models).where(models.c.hash == model_hash)).first()
            if model is None:
                return Measurable((), 0, 0, 0)
            seen = trained_on(json.loads(model.card))
            names = read_state(connection).present_names()
            found: list[ScoredClip] = []
            trained = unhashed = 0
            for row in connection.execute(_decided(model.id)):
                if seen and row.content_hash is None:
                    unhashed += 1
                elif row.content_hash in seen:
                    trained += 1
                else:
                    found.append(_scored(row, names))
        return Measurable(tuple(found), len(json.loads(model.labels)), trained, unhashed)

    def keep(self, calibration: Calibration) -> Changes:
        """Puts a calibration in force; :meth:`show_some` then takes it over to the clips.

        Raises:
            ProjectError: it cannot be written.
        """
        with self._database.write() as connection:
            model_id = _model_id(connection, calibration.model)
            before = scale_of(connection, model_id)
            same = before is not None and before.temperature == calibration.temperature
            shown = same and _details(connection, model_id).get(SHOWN, False)
            _replace(connection, model_id, calibration, {SHOWN: shown})
        return Changes(models=True)

    def forget(self, model_hash: str) -> Changes:
        """The calibration of a model holds no longer; :meth:`show_some` takes it off the clips."""
        with self._database.write() as connection:
            model_id = _model_id(connection, model_hash)
            details = _details(connection, model_id)
            if not details:
                return Changes()
            own = update(calibrations).where(calibrations.c.model_id == model_id)
            connection.execute(own.values(details=json.dumps(details | {SHOWN: False, GONE: True})))
        return Changes(models=True)

    def is_shown(self, model_hash: str) -> bool:
        """Whether every clip shows the model's calibration (or shows none where there is none)."""
        with self._database.read() as connection:
            details = _details(connection, _model_id(connection, model_hash))
        return not details or bool(details.get(SHOWN))

    def show_some(self, model_hash: str, *, after: int, limit: int) -> int | None:
        """Lets some clips show the calibration in force, by id; answers the id to go on after, None at the end."""
        with self._database.write() as connection:
            model_id = _model_id(connection, model_hash)
            scale, names = scale_of(connection, model_id), read_state(connection).present_names()
            # Suggestions of a model that is not the active one are shown by no clip.
            page = connection.execute(
                select(suggestions.c.clip_id, suggestions.c.scores)
                .join(clips, clips.c.id == suggestions.c.clip_id)
                .where(suggestions.c.model_id == model_id, suggestions.c.clip_id > after)
                .where(clips.c.model_id == model_id)
                .order_by(suggestions.c.clip_id)
                .limit(limit)
            ).all()
            if page:
                connection.execute(
                    _SHOW,
                    [
                        {
                            "of_clip": row.clip_id,
                            "of_model": model_id,
                            "value": _first_shown(row.scores, scale, names),
                        }
                        for row in page
                    ],
                )
            if len(page) == limit:
                return int(page[-1].clip_id)
            _all_shown(connection, model_id)
            return None


def _decided(model_id: int) -> Any:
    return (
        select(suggestions.c.scores, clips.c.label, clips.c.name, videos.c.content_hash)
        .select_from(clips)
        .join(decisions, decisions.c.id == clips.c.decision_id)
        .join(suggestions, (suggestions.c.clip_id == clips.c.id) & (suggestions.c.model_id == model_id))
        .join(videos, videos.c.id == clips.c.video_id)
        .where(~clips.c.removed, clips.c.label.is_not(None), decisions.c.label_id.is_not(None))
        .order_by(clips.c.decided_at_us.desc())
        .limit(MOST_CLIPS)
    )


def _scored(row: AnyRow, names: Mapping[str, str]) -> ScoredClip:
    scores = said_today(row.scores, None, names)
    right = next((place for place, score in enumerate(scores) if score.label == row.label), None)
    return ScoredClip(tuple(score.probability for score in scores), right, row.label, row.name)


def _first_shown(scores: str, scale: Scale | None, names: Mapping[str, str]) -> float | None:
    first = next(iter(said_today(scores, scale, names)), None)
    return None if first is None else first.calibrated


def _model_id(connection: Connection, model_hash: str) -> int | None:
    return connection.execute(select(models.c.id).where(models.c.hash == model_hash)).scalar()


def _details(connection: Connection, model_id: int | None) -> dict[str, Any]:
    wanted = select(calibrations.c.details).where(calibrations.c.model_id == model_id)
    found = connection.execute(wanted).scalar()
    return {} if found is None else dict(json.loads(found))


def _all_shown(connection: Connection, model_id: int | None) -> None:
    details = _details(connection, model_id)
    own = calibrations.c.model_id == model_id
    if details.get(GONE):
        connection.execute(delete(calibrations).where(own))
    elif details:
        connection.execute(
            update(calibrations).where(own).values(details=json.dumps(details | {SHOWN: True}))
        )


def _replace(
    connection: Connection, model_id: int | None, calibration: Calibration, state: Mapping[str, bool]
) -> None:
    details = {
        "before": _dump(calibration.bins_before),
        "after": _dump(calibration.bins_after),
        **state,
    }
    connection.execute(delete(calibrations).where(calibrations.c.model_id == model_id))
    connection.execute(
        insert(calibrations).values(
            model_id=model_id,
            temperature=calibration.temperature,
            clips=calibration.clips,
            ece_before=calibration.ece_before,
            ece_after=calibration.ece_after,
            details=json.dumps(details),
            fitted_at_us=calibration.fitted_at_us,
        )
    )


def _dump(bins: Sequence[ReliabilityBin]) -> list[list[float | int | None]]:
    return [[one.low, one.high, one.clips, one.confidence, one.accuracy] for one in bins]


def _bins(values: Iterable[Sequence[Any]]) -> tuple[ReliabilityBin, ...]:
    return tuple(
        ReliabilityBin(low=low, high=high, clips=count, confidence=confidence, accuracy=accuracy)
        for low, high, count, confidence, accuracy in values
    )


def _calibration(row: AnyRow, model_hash: str) -> Calibration | None:
    details = json.loads(row.details)
    if details.get(GONE):
        return None
    return Calibration(
        model=model_hash,
        temperature=row.temperature,
        clips=row.clips,
        ece_before=row.ece_before,
        ece_after=row.ece_after,
        bins_before=_bins(details["before"]),
        bins_after=_bins(details["after"]),
        fitted_at_us=row.fitted_at_us,
    )
