"""Looking a project over: is the database whole, does it agree with itself, are its files there?"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.sql.expression import literal_column

from vidlabel.store.decisions import read_decisions, show
from vidlabel.store.roots import all_roots
from vidlabel.store.schema import clip_counts, clips, decisions, files
from vidlabel.store.text import absolute

_NAMED = 20


def problems_of(connection: Connection) -> list[str]:
    """Everything found, in words; empty if all is well."""
    problems = [
        f"the database is damaged: {line}"
        for line in connection.execute(text("PRAGMA integrity_check(20)")).scalars()
        if line != "ok"
    ]
    for row in connection.execute(text("PRAGMA foreign_key_check")).fetchmany(_NAMED):
        problems.append(f"table {row[0]}, row {row[1]} refers to a {row[2]} that is not there")
    wrong = _wrong_counts(connection)
    problems += [f"the kept total of {what} {name} is wrong" for what, name in sorted(wrong)]
    stale = _stale_clips(connection)
    if stale:
        problems.append(f"{len(stale)} clips do not show their newest decision")
    return problems + missing_files(connection)


def missing_files(connection: Connection) -> list[str]:
    """Roots and files that the disk does not have."""
    problems: list[str] = []
    for root in all_roots(connection):
        if not Path(root.path).is_dir():
            problems.append(f"the root {root.path} is not there; relink it, or connect its disk")
            continue
        listed = connection.execute(select(files.c.relative).where(files.c.root_id == root.id)).scalars()
        gone = [name for name in listed if not Path(absolute(root.path, name)).exists()]
        problems += [f"missing: {absolute(root.path, name)}" for name in gone[:_NAMED]]
        if len(gone) > _NAMED:
            problems.append(f"missing: {len(gone) - _NAMED} more files of {root.path}")
    return problems


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
    if wrong:
        done.append(f"{len(wrong)} totals were counted again")
    return done
