"""Which clips, in which order: a :class:`ClipQuery` as statements that an index answers.

An order with several rules ("least sure first, then those without a suggestion, then what was skipped
...") is asked for in parts, each of which one index serves, instead of one statement that would have to sort
everything.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, column, func, literal_column, select

from vidlabel.core.filters import text_words
from vidlabel.core.words import ClipQuery, ClipState, QueueOrder
from vidlabel.store.roots import all_roots
from vidlabel.store.schema import FOLDER_RULE, clips, dealt_clips, models, suggestions, videos
from vidlabel.store.temperature import confidence_column
from vidlabel.store.text import to_stored

Condition = ColumnElement[bool]
Part = tuple[list[Condition], list[ColumnElement[Any]]]

_PATH: list[ColumnElement[Any]] = [clips.c.root_id, clips.c.relative, clips.c.start_us]
_OPEN = (ClipState.SUGGESTED.value, ClipState.UNDECIDED.value)
_SORTED_COLUMNS: dict[str, ColumnElement[Any]] = {
    "name": clips.c.name,
    "duration": clips.c.duration_us,
    "label": clips.c.label,
    "suggested": clips.c.suggested,
    "annotator": clips.c.annotator,
    "decided": clips.c.decided_at_us,
}
_MASK = (1 << 64) - 1


def ids_of(connection: Connection, query: ClipQuery, *, limit: int | None = None) -> array[int]:
    """The ids of all clips that fit, or of so many, in order.

    With a limit, a random order is random only among that many.

    Raises:
        ValueError: the query names a sort that does not exist.
    """
    conditions = _conditions(connection, query)
    if conditions is None:
        return array("q")
    ids: array[int] = array("q")
    for extra, order in _parts(connection, query):
        statement = select(clips.c.id).where(~clips.c.removed, *conditions, *extra).order_by(*order)
        if limit is not None:
            statement = statement.limit(limit - len(ids))
        found = _ids(connection, statement)
        if query.sort == "queue" and query.order is QueueOrder.RANDOM and not order:
            found = sorted(found, key=_Shuffled(query.seed))
        elif query.sort == "chosen" and query.chosen is not None:
            places = {clip_id: place for place, clip_id in enumerate(query.chosen.ids)}
            found = sorted(found, key=places.__getitem__)
        ids.extend(found)
        if limit is not None and len(ids) >= limit:
            break
    return ids


def _ids(connection: Connection, statement: Select[tuple[int]]) -> list[int]:
    # The driver's own rows: a million of SQLAlchemy's would take seconds to build.
    cursor = connection.execute(statement).cursor
    assert cursor is not None
    return [row[0] for row in cursor.fetchall()]


def _conditions(connection: Connection, query: ClipQuery) -> list[Condition] | None:
    """What the filters say; None if nothing can fit."""
    conditions: list[Condition] = [_in_path(word) for word in text_words(query.text)]
    conditions += _one_of(query)
    conditions += _within(connection, query)
    if query.parts:
        conditions.append(clips.c.id.in_(dealt_to(query.parts)))
    if query.disagrees is not None:
        conditions.append(clips.c.disagrees == query.disagrees)
    if query.flagged is not None:
        conditions.append(clips.c.flagged == query.flagged)
    if query.noted is not None:
        conditions.append(clips.c.note.is_not(None) if query.noted else clips.c.note.is_(None))
    if query.folder:
        folder = _in_folder(connection, query.folder)
        if folder is None:
            return None
        conditions.append(folder)
    if query.chosen is not None:
        conditions.append(_among(query.chosen.ids))
    return conditions


def _one_of(query: ClipQuery) -> Iterator[Condition]:
    wanted: tuple[tuple[ColumnElement[Any], frozenset[str]], ...] = (
        (clips.c.state, frozenset(state.value for state in query.states)),
        (clips.c.label, query.labels),
        (clips.c.suggested, query.suggested),
        (clips.c.annotator, query.annotators),
    )
    for column_, values in wanted:
        if values:
            yield column_.in_(sorted(values))


def _within(connection: Connection, query: ClipQuery) -> Iterator[Condition]:
    if query.min_probability is not None:
        yield confidence_column(connection) >= query.min_probability
    if query.max_probability is not None:
        yield confidence_column(connection) <= query.max_probability
    if query.decided_from_us is not None:
        yield clips.c.decided_at_us >= query.decided_from_us
    if query.decided_to_us is not None:
        yield clips.c.decided_at_us < query.decided_to_us
    if query.min_duration_us is not None:
        yield clips.c.duration_us >= query.min_duration_us
    if query.max_duration_us is not None:
        yield clips.c.duration_us <= query.max_duration_us


def dealt_to(parts: Iterable[str]) -> Select[int]:
    """The ids of clips that the snapshots so far dealt to one of these parts."""
    return (
        select(clips.c.id)
        .join(videos, videos.c.id == clips.c.video_id)
        .join(
            dealt_clips,
            (dealt_clips.c.content_hash == videos.c.content_hash)
            & (dealt_clips.c.start_us == clips.c.start_us)
            & (dealt_clips.c.end_us == clips.c.end_us),
        )
        .where(dealt_clips.c.part.in_(sorted(parts)))
    )


def _among(ids: Sequence[int]) -> Condition:
    """Clips with one of these ids, of which there may be more than a statement takes values."""
    listed = func.json_each(json.dumps(ids)).table_valued(column("value", Integer))
    return clips.c.id.in_(select(listed.c.value))


def _in_path(word: str) -> Condition:
    """Clips with a word or phrase in their path, whatever its case."""
    if word.isascii():
        return clips.c.relative.icontains(word, autoescape=True)
    # SQLite itself knows the two cases of ASCII letters only.
    return func.casefold(clips.c.relative).contains(to_stored(word.casefold()), autoescape=True)


def _in_folder(connection: Connection, folder: str) -> Condition | None:
    """Clips inside a folder, which is absolute or relative to any root."""
    path = Path(folder)
    if not path.is_absolute():
        return _under(path.as_posix())
    fitting: Condition | None = None
    part: Condition
    for root in all_roots(connection):
        if path.is_relative_to(root.path):
            part = (clips.c.root_id == root.id) & _under(path.relative_to(root.path).as_posix())
        elif Path(root.path).is_relative_to(path):
            part = clips.c.root_id == root.id
        else:
            continue
        fitting = part if fitting is None else fitting | part
    return fitting


def _under(relative: str) -> Condition:
    if relative == ".":
        return clips.c.relative != ""
    after_slash = chr(ord("/") + 1)
    return (clips.c.relative >= f"{relative}/") & (clips.c.relative < f"{relative}{after_slash}")


def _parts(connection: Connection, query: ClipQuery) -> Iterator[Part]:
    descending = query.descending
    if query.sort == "queue":
        yield from _queue_parts(query.order)
    elif query.sort == "path":
        yield [], [column.desc() for column in _PATH] if descending else _PATH
    elif query.sort == "chosen":
        yield [], _PATH if query.chosen is None else []
    elif query.sort == "folder":
        folder: ColumnElement[str] = literal_column(FOLDER_RULE.format(row="clips"))
        order: list[ColumnElement[Any]] = [clips.c.root_id, folder, clips.c.relative, clips.c.start_us]
        yield [], [column.desc() for column in order] if descending else order
    elif query.sort == "state":
        states = [state.value for state in ClipState]
        for state in reversed(states) if descending else states:
            yield [clips.c.state == state], _PATH
    elif query.sort == "probability" or query.sort in _SORTED_COLUMNS:
        column = _SORTED_COLUMNS.get(query.sort)
        if column is None:
            column = confidence_column(connection)
        known: list[ColumnElement[Any]] = [column, clips.c.id]
        if descending:
            known = [part.desc() for part in known]
        yield [column.is_not(None)], known
        if query.sort not in ("duration", "name"):
            yield [column.is_(None)], _PATH  # what has none comes last in either direction
    else:
        raise ValueError(f"clips cannot be sorted by {query.sort!r}")


def _queue_parts(order: QueueOrder) -> Iterator[Part]:
    match order:
        case QueueOrder.LEAST_SURE | QueueOrder.SUREST:
            margin = clips.c.margin if order is QueueOrder.LEAST_SURE else clips.c.margin.desc()
            yield [clips.c.state == ClipState.SUGGESTED.value], [margin, clips.c.id]
            yield [clips.c.state == ClipState.UNDECIDED.value], _PATH
        case QueueOrder.PATH:
            yield [clips.c.state.in_(_OPEN)], _PATH
        case QueueOrder.RANDOM:
            yield [clips.c.state.in_(_OPEN)], []
    yield [clips.c.state == ClipState.SKIPPED.value], [clips.c.decided_at_us, clips.c.id]
    yield [clips.c.state.not_in([*_OPEN, ClipState.SKIPPED.value])], _PATH


class _Shuffled:
    """A sort key: each id has its place whatever other ids are there (the mixing step of SplitMix64)."""

    def __init__(self, seed: int) -> None:
        self._seed = (seed * 0x9E3779B97F4A7C15) & _MASK

    def __call__(self, clip_id: int) -> int:
        mixed = (clip_id + self._seed) * 0x9E3779B97F4A7C15 & _MASK
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
        return mixed ^ (mixed >> 31)


def ids_without_suggestion(
    connection: Connection, model_hash: str, *, limit: int, order: QueueOrder, seed: int
) -> array[int]:
    """Readable clips that this model has said nothing about, in the order in which the queue wants them."""
    has_one = (
        select(suggestions.c.clip_id)
        .join(models, models.c.id == suggestions.c.model_id)
        .where(suggestions.c.clip_id == clips.c.id, models.c.hash == model_hash)
        .exists()
    )
    ids: array[int] = array("q")
    for extra, by in _queue_parts(order):
        conditions = [~clips.c.removed, clips.c.trouble.is_(None), ~has_one, *extra]
        statement = select(clips.c.id).where(*conditions)
        if by:
            found: Iterable[int] = _ids(connection, statement.order_by(*by).limit(limit - len(ids)))
        else:
            found = sorted(_ids(connection, statement), key=_Shuffled(seed))[: limit - len(ids)]
        ids.extend(found)
        if len(ids) >= limit:
            break
    return ids


def clips_of_video(connection: Connection, video_id: int) -> array[int]:
    """The listed clips of a video, the whole one first, then by start."""
    statement = (
        select(clips.c.id)
        .where(clips.c.video_id == video_id, ~clips.c.removed)
        .order_by(clips.c.whole.desc(), clips.c.start_us, clips.c.end_us)
    )
    return array("q", _ids(connection, statement))
