"""Models a project knows and what they said about its clips."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from vidlabel.core.errors import ModelError
from vidlabel.core.time import now_us
from vidlabel.core.words import ClipRow, LabelScore, Suggestion
from vidlabel.store.label_state import read_state
from vidlabel.store.rows import ROWS, AnyRow, chunks, clip_row
from vidlabel.store.schema import clips, models, project, suggestions
from vidlabel.store.temperature import Scale, scale_of

_PAGE = 1000


def register(
    connection: Connection, model_hash: str, name: str, *, labels: Sequence[str], card: object
) -> bool:
    """Makes a model known, or updates its name and card. The project's first model becomes its active one.

    A card that cannot be had just now (an empty one) leaves the known card as it is: it says which clips the
    model was trained on. Answers whether it became the active one.
    """
    values = {"name": name, "labels": json.dumps(list(labels)), "card": json.dumps(card, default=str)}
    model_id = model_id_of(connection, model_hash)
    if model_id is not None:
        if not card:
            del values["card"]
        connection.execute(update(models).where(models.c.id == model_id).values(**values))
        return False
    connection.execute(insert(models).values(hash=model_hash, added_at_us=now_us(), **values))
    if active(connection) is None:
        set_active(connection, model_hash)
        return True
    return False


def model_id_of(connection: Connection, model_hash: str) -> int | None:
    """The row of a model, if it is known."""
    return connection.execute(select(models.c.id).where(models.c.hash == model_hash)).scalar()


def _known_id(connection: Connection, model_hash: str) -> int:
    model_id = model_id_of(connection, model_hash)
    if model_id is None:
        raise ModelError(model_hash[:12], "this project does not know it; register it first.")
    return model_id


def active(connection: Connection) -> tuple[str, str] | None:
    """Hash and name of the model whose suggestions are shown."""
    row = connection.execute(
        select(models.c.hash, models.c.name).join(project, project.c.active_model_id == models.c.id)
    ).first()
    return None if row is None else (row.hash, row.name)


def _active_id(connection: Connection) -> int | None:
    return connection.execute(select(project.c.active_model_id)).scalar()


def set_active(connection: Connection, model_hash: str) -> None:
    """From now on this model's suggestions are shown, those it has made before at once."""
    model_id = _known_id(connection, model_hash)
    connection.execute(update(project).values(active_model_id=model_id))
    connection.execute(
        update(clips)
        .where(clips.c.model_id.is_not(None))
        .values(model_id=None, suggested=None, probability=None, margin=None, shown=None)
    )
    scale = scale_of(connection, model_id)
    names = read_state(connection).present_names()
    said = select(suggestions).where(suggestions.c.model_id == model_id)
    for part in connection.execute(said).partitions(_PAGE):
        _show(connection, model_id, [_suggestion(row, model_hash, scale, names) for row in part])


def show_again(connection: Connection, model_id: int, model_hash: str, clip_ids: Sequence[int]) -> None:
    """Clips show what the active model said about them, after labels of it became one or several."""
    scale, names = scale_of(connection, model_id), read_state(connection).present_names()
    wanted = select(suggestions).where(
        suggestions.c.clip_id.in_(clip_ids), suggestions.c.model_id == model_id
    )
    _show(
        connection,
        model_id,
        [_suggestion(row, model_hash, scale, names) for row in connection.execute(wanted)],
    )


def save(connection: Connection, new: Sequence[Suggestion]) -> set[int]:
    """Keeps suggestions, replacing what the same model said before; answers the clips that exist."""
    ids_by_hash = {model_hash: _known_id(connection, model_hash) for model_hash in {one.model for one in new}}
    active_id = _active_id(connection)
    there: set[int] = set()
    for chunk in chunks({one.clip_id for one in new}):
        there.update(connection.execute(select(clips.c.id).where(clips.c.id.in_(chunk))).scalars())
    for model_hash, model_id in ids_by_hash.items():
        newest = {one.clip_id: one for one in new if one.model == model_hash and one.clip_id in there}
        if not newest:
            continue
        for chunk in chunks(newest):
            connection.execute(
                delete(suggestions).where(
                    suggestions.c.model_id == model_id, suggestions.c.clip_id.in_(chunk)
                )
            )
        connection.execute(
            insert(suggestions),
            [
                {"model_id": model_id, "clip_id": one.clip_id, "scores": _dump(one.scores),
                 "margin": one.margin, "entropy": one.entropy}
                for one in newest.values()
            ],
        )  # fmt: skip
        if model_id == active_id:
            scale, names = scale_of(connection, model_id), read_state(connection).present_names()
            _show(connection, model_id, [_presented(one, scale, names) for one in newest.values()])
    return there


def _show(connection: Connection, model_id: int, said: Sequence[Suggestion]) -> None:
    rows = [
        {"of_clip": one.clip_id, "model_id": model_id, "suggested": one.scores[0].label,
         "probability": one.scores[0].probability, "margin": one.margin, "shown": one.scores[0].calibrated}
        for one in said
        if one.scores
    ]  # fmt: skip
    if rows:
        connection.execute(update(clips).where(clips.c.id == bindparam("of_clip")), rows)


def _dump(scores: Sequence[LabelScore]) -> str:
    # What is calibrated follows from the calibration in force when it is read; here stands the model's own.
    return json.dumps([[score.label, score.probability, None] for score in scores])


def _suggestion(row: AnyRow, model_hash: str, scale: Scale | None, names: Mapping[str, str]) -> Suggestion:
    raw = Suggestion(
        clip_id=row.clip_id,
        model=model_hash,
        scores=_load(row.scores),
        margin=row.margin,
        entropy=row.entropy,
    )
    return _presented(raw, scale, names)


def said_today(scores: str, scale: Scale | None, names: Mapping[str, str]) -> tuple[LabelScore, ...]:
    """The scores of a suggestion as they are kept, calibrated, under the labels' present names."""
    return _today(_load(scores), scale, names)


def _load(scores: str) -> tuple[LabelScore, ...]:
    return tuple(LabelScore(label, probability) for label, probability, _ in json.loads(scores))


def _presented(raw: Suggestion, scale: Scale | None, names: Mapping[str, str]) -> Suggestion:
    scores = _today(raw.scores, scale, names)
    if scores == raw.scores:
        return raw
    margin = raw.margin
    if len(scores) < len(raw.scores):
        second = scores[1].probability if len(scores) > 1 else 0.0
        margin = max(scores[0].probability - second, 0.0)
    return replace(raw, scores=scores, margin=margin)


def _today(
    own: Sequence[LabelScore], scale: Scale | None, names: Mapping[str, str]
) -> tuple[LabelScore, ...]:
    scores = tuple(own) if scale is None else scale.applied(own)
    if scale is None and any(score.calibrated is not None for score in scores):
        scores = tuple(replace(score, calibrated=None) for score in scores)
    if not any(score.label in names for score in scores):
        return scores
    return joined([replace(score, label=names.get(score.label, score.label)) for score in scores])


def joined(scores: Sequence[LabelScore]) -> tuple[LabelScore, ...]:
    """Labels that were merged are one, as probable as they were together; the most probable first."""
    together: dict[str, LabelScore] = {}
    for score in scores:
        known = together.get(score.label)
        if known is not None:
            both = None
            if known.calibrated is not None and score.calibrated is not None:
                both = min(known.calibrated + score.calibrated, 1.0)
            score = LabelScore(score.label, min(known.probability + score.probability, 1.0), both)
        together[score.label] = score
    if len(together) == len(scores):
        return tuple(scores)
    return tuple(sorted(together.values(), key=lambda score: -score.probability))


def find(connection: Connection, clip_id: int, model_hash: str) -> Suggestion | None:
    """What a model said about a clip."""
    return find_many(connection, [clip_id], model_hash).get(clip_id)


def find_many(connection: Connection, clip_ids: Sequence[int], model_hash: str) -> dict[int, Suggestion]:
    """What a model said about these clips."""
    model_id = model_id_of(connection, model_hash)
    scale, names = scale_of(connection, model_id), read_state(connection).present_names()
    found: dict[int, Suggestion] = {}
    for chunk in chunks(clip_ids):
        rows = connection.execute(
            select(suggestions).where(suggestions.c.clip_id.in_(chunk), suggestions.c.model_id == model_id)
        )
        found |= {row.clip_id: _suggestion(row, model_hash, scale, names) for row in rows}
    return found


def page_with_clips(
    connection: Connection, model_hash: str, after: int
) -> tuple[int | None, list[tuple[ClipRow, Suggestion]]]:
    """The next listed clips after an id that the model has said something about.

    Answers the id to go on after, None at the end, and the clips.
    """
    model_id = model_id_of(connection, model_hash)
    ids = select(suggestions.c.clip_id).where(
        suggestions.c.model_id == model_id, suggestions.c.clip_id > after
    )
    page = list(connection.execute(ids.order_by(suggestions.c.clip_id).limit(_PAGE)).scalars())
    said = find_many(connection, page, model_hash)
    found: list[tuple[ClipRow, Suggestion]] = []
    for chunk in chunks(page):
        wanted = ROWS.where(clips.c.id.in_(chunk), ~clips.c.removed).order_by(clips.c.id)
        found += [(clip_row(row), said[row.id]) for row in connection.execute(wanted)]
    return (page[-1] if page else None), found
