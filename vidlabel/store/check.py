"""Looking a project over: is the database whole, does it agree with itself, are its files there?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.sql.expression import literal_column

from vidlabel.store.decisions import read_decisions, show
from vidlabel.store.folders import count_again, wrong_folders
from vidlabel.store.roots import all_roots
from vidlabel.store.schema import clip_counts, clips, decisions, files
from vidlabel.store.text import absolute

_FIRST = 20
"""So many broken references are named; more would not help anybody."""
_GONE = "missing"


class FaultKind(StrEnum):
    """What a fault is about."""

    DATABASE = "database"
    """The file itself is damaged."""
    REFERENCE = "reference"
    """A row refers to one that is not there."""
    TOTAL = "total"
    """A kept total is not what counting gives; repairable."""
    CLIP = "clip"
    """Clips do not show their newest decision; repairable."""
    EMBEDDING = "embedding"
    """Embeddings are not as they were written; repairable, for they are computed again."""
    FILE = "file"
    """A video is not where the project says."""
    ROOT = "root"
    """A root is not there, or may not be read."""


ABOUT_FILES = frozenset({FaultKind.FILE, FaultKind.ROOT})
"""Faults of the disk: the project itself is whole."""

REPAIRABLE = frozenset({FaultKind.TOTAL, FaultKind.CLIP, FaultKind.EMBEDDING})
"""What follows from other rows, so that it can be worked out again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in words; ``path`` is the file or folder, where it is about one."""

    kind: FaultKind
    words: str
    path: Path | None = None


def faults_of(connection: Connection) -> list[Fault]:
    """Everything found; empty if all is well."""
    faults = [
        Fault(FaultKind.DATABASE, f"the database is damaged: {line}")
        for line in connection.execute(text("PRAGMA integrity_check(20)")).scalars()
        if line != "ok"
    ]
    for row in connection.execute(text("PRAGMA foreign_key_check")).fetchmany(_FIRST):
        words = f"table {row[0]}, row {row[1]} refers to a {row[2]} that is not there"
        faults.append(Fault(FaultKind.REFERENCE, words))
    for what, name in sorted(_wrong_counts(connection)):
        faults.append(Fault(FaultKind.TOTAL, f"the kept total of {what} {name} is wrong"))
    for _, folder in wrong_folders(connection)[:_FIRST]:
        faults.append(Fault(FaultKind.TOTAL, f"the kept total of the folder '{folder}' is wrong"))
    stale = _stale_clips(connection)
    if stale:
        faults.append(Fault(FaultKind.CLIP, f"{len(stale)} clips do not show their newest decision"))
    return faults + missing_files(connection)


def damaged_embeddings(folder: Path, rows: int) -> list[Fault]:
    """The fault of so many damaged rows in the folder of embeddings; none for 0."""
    if not rows:
        return []
    what = "1 embedding is" if rows == 1 else f"{rows:,} embeddings are"
    words = f"{what} damaged in {folder}; what is damaged is not used and computed again"
    return [Fault(FaultKind.EMBEDDING, words, folder)]


def missing_files(connection: Connection) -> list[Fault]:
    """Roots and files that the disk does not have, or does not let us see."""
    faults: list[Fault] = []
    for root in all_roots(connection):
        folder = Path(root.path)
        reason = _why_missing(folder)
        if reason is not None:
            what = "is not there; relink it, or connect its disk"
            words = f"the root {folder} {what if reason == _GONE else f'cannot be looked at: {reason}'}"
            faults.append(Fault(FaultKind.ROOT, words, folder))
            continue
        listed = connection.execute(
            select(files.c.relative).where(files.c.root_id == root.id).order_by(files.c.relative)
        ).scalars()
        for name in listed:
            path = Path(absolute(root.path, name))
            reason = _why_missing(path)
            if reason is not None:
                faults.append(Fault(FaultKind.FILE, f"{reason}: {path}", path))
    return faults


def _why_missing(path: Path) -> str | None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return _GONE
    except PermissionError:
        return "no permission to see it"
    except OSError as error:
        return f"not to be reached ({error.strerror})"
    return None


def _wrong_counts(connection: Connection) -> set[tuple[str, str]]:
    kept = {(row.what, row.name, row.clips) for row in connection.execute(select(clip_counts)) if row.clips}
    counted = set()
    for what in ("state", "label"):
        column = clips.c[what]
        rows = connection.execute(
            select(column, func.count()).where(~clips.c.removed, column.is_not(None)).group_by(column)
        )
        counted |= {(what, name, number) for name, number in rows}
    return {(what, name) for what, name, _ in kept ^ counted}


def _stale_clips(connection: Connection) -> list[int]:
    """Clips whose shown kind is not that of the newest decision about them."""
    newest = select(func.max(decisions.c.id).label("id")).group_by(decisions.c.clip_id).subquery()
    shown = func.coalesce(clips.c.decision_kind, literal_column("'withdrawn'"))
    return list(
        connection.execute(
            select(clips.c.id)
            .join(decisions, decisions.c.clip_id == clips.c.id)
            .join(newest, newest.c.id == decisions.c.id)
            .where(shown != decisions.c.kind)
        ).scalars()
    )


def repair(connection: Connection) -> list[str]:
    """Puts right what follows from other rows: totals and what clips show. Answers what was done."""
    done: list[str] = []
    stale = _stale_clips(connection)
    if stale:
        newest = (
            select(func.max(decisions.c.id))
            .where(decisions.c.clip_id.in_(stale))
            .group_by(decisions.c.clip_id)
        )
        known = read_decisions(connection, list(connection.execute(newest).scalars()))
        show(connection, {decision.clip_id: decision for decision in known.values()})
        done.append(f"{len(stale)} clips show their newest decision again")
    wrong = _wrong_counts(connection)
    for what, name in wrong:
        column = clips.c[what]
        number = select(func.count()).where(~clips.c.removed, column == name).scalar_subquery()
        kept = (clip_counts.c.what == what) & (clip_counts.c.name == name)
        connection.execute(update(clip_counts).where(kept).values(clips=number))
    folders = wrong_folders(connection)
    if folders:
        count_again(connection)
    wrong_totals = len(wrong) + len(folders)
    if wrong_totals:
        done.append(f"{wrong_totals} totals were counted again")
    return done
