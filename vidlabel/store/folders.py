"""The tree of folders with its counts, from totals that are kept per folder."""

from __future__ import annotations

from sqlalchemy import ColumnClause, Connection, column, func, literal_column, select, text

from vidlabel.core.words import Folder
from vidlabel.store.schema import DECIDED_RULE, FOLDER_RULE, clips, folder_counts, roots
from vidlabel.store.text import from_stored


def read_folders(connection: Connection) -> tuple[Folder, ...]:
    """Every folder that holds listed clips, and every one above it up to the root; by root and path.

    Each counts all that lies in it or below. A root without clips is there, too.
    """
    totals: dict[tuple[int, str], tuple[int, int]] = {
        (root_id, ""): (0, 0) for root_id in connection.execute(select(roots.c.id)).scalars()
    }
    kept = select(folder_counts).where(folder_counts.c.clips != 0)
    for root_id, folder, number, decided in connection.execute(kept):
        for path in _and_above(folder):
            before = totals.get((root_id, path), (0, 0))
            totals[root_id, path] = before[0] + number, before[1] + decided
    return tuple(
        Folder(root_id=root_id, path=path, clips=number, decided=decided)
        for (root_id, path), (number, decided) in sorted(totals.items(), key=_by_parts)
    )


def _and_above(folder: str) -> list[str]:
    paths = [""]
    if folder:
        parts = folder.split("/")
        paths += ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    return paths


def _by_parts(item: tuple[tuple[int, str], tuple[int, int]]) -> tuple[int, list[str]]:
    # A folder stands right before what is in it, also where another name goes on with a character before '/'.
    (root_id, path), _ = item
    return root_id, path.split("/") if path else []


def wrong_folders(connection: Connection) -> list[tuple[int, str]]:
    """Folders whose kept counts are not what counting gives: (root id, folder)."""
    kept = {tuple(row) for row in connection.execute(select(folder_counts)) if row.clips or row.decided}
    counted = {
        (root_id, from_stored(folder), number, decided)
        for root_id, folder, number, decided in connection.execute(_COUNTED)
    }
    return sorted({(root_id, folder) for root_id, folder, _, _ in kept ^ counted})


def count_again(connection: Connection) -> None:
    """Puts every folder's counts right."""
    connection.execute(text("DELETE FROM folder_counts"))
    names = ["root_id", "folder", "clips", "decided"]
    connection.execute(folder_counts.insert().from_select(names, _COUNTED))


_FOLDER: ColumnClause[str] = literal_column(FOLDER_RULE.format(row="clips"))
_COUNTED = (
    select(
        clips.c.root_id,
        _FOLDER.label("folder"),
        func.count().label("clips"),
        func.sum(literal_column(DECIDED_RULE.format(row="clips"))).label("decided"),
    )
    .where(~clips.c.removed)
    .group_by(clips.c.root_id, column("folder"))
)
