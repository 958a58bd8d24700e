"""Clips with all that is known of them, read a page at a time from whatever holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from vidlabel.core.words import ClipQuery, ClipRow, Decision, Suggestion
from vidlabel.interop.record import ClipRecord

_PAGE = 500


class Source(Protocol):
    """The part of a project's store that an export asks."""

    def clip_ids(self, query: ClipQuery) -> Sequence[int]: ...

    def clip_rows(self, ids: Sequence[int]) -> tuple[ClipRow, ...]: ...

    def active_model(self) -> tuple[str, str] | None: ...

    def suggestions(self, clip_ids: Sequence[int], model_hash: str) -> Mapping[int, Suggestion]: ...

    def histories(self, clip_ids: Iterable[int]) -> Mapping[int, tuple[Decision, ...]]: ...

    def paths_of_videos(self, video_ids: Iterable[int]) -> Mapping[int, tuple[Path, ...]]: ...


def pages(source: Source, query: ClipQuery) -> Iterator[tuple[ClipRow, ...]]:
    """The rows of a query, in its order."""
    ids = source.clip_ids(query)
    for first in range(0, len(ids), _PAGE):
        yield source.clip_rows(ids[first : first + _PAGE])


def records(source: Source, query: ClipQuery) -> Iterator[ClipRecord]:
    """The same with all that is known of each clip, for what goes out."""
    active = source.active_model()
    for page in pages(source, query):
        clip_ids = [row.clip_id for row in page]
        said = {} if active is None else source.suggestions(clip_ids, active[0])
        done = source.histories(clip_ids)
        for row, paths in zip(page, paths_of(source, page), strict=True):
            yield ClipRecord(
                row=row,
                paths=paths,
                suggestion=said.get(row.clip_id),
                decisions=tuple(reversed(done.get(row.clip_id, ()))),
            )


def paths_of(source: Source, rows: Sequence[ClipRow]) -> list[tuple[str, ...]]:
    """Every path of each clip's video, the one shown first."""
    known = source.paths_of_videos({row.video_id for row in rows})
    return [tuple(dict.fromkeys((row.path, *map(str, known.get(row.video_id, ()))))) for row in rows]
