"""What the session asks of the store, off the GUI thread."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.words import Changes, ClipQuery

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore


def close(store: ProjectStore) -> None:
    store.close()


def add_root(folder: Path, store: ProjectStore) -> Changes:
    store.add_root(folder)
    return Changes(library=True, words=f"Added {folder}")


def relink_root(old: Path, new: Path, store: ProjectStore) -> Changes:
    store.relink_root(old, new)
    return Changes(library=True, words=f"{old} is now {new}")


def label_change(method: str, arguments: tuple[Any, ...], store: ProjectStore) -> Changes:
    answer = getattr(store, method)(*arguments)
    return answer if isinstance(answer, Changes) else Changes(labels=True)


def history(clip_id: int, store: ProjectStore) -> Any:
    return store.history(clip_id)


def views(store: ProjectStore) -> Any:
    return store.saved_views()


def save_view(name: str, query: ClipQuery, store: ProjectStore) -> None:
    store.save_view(name, query)


def delete_view(name: str, store: ProjectStore) -> None:
    store.delete_view(name)
