"""The one door to the store: it loads SQLAlchemy on the database thread, after the window is painted."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import ProjectInUseError, ReadOnlyProjectError

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore


def _store_module() -> ModuleType:
    # Measured: importing SQLAlchemy takes longer than everything the window needs to be painted.
    return importlib.import_module("vidlabel.store.project_store")


def open_store(path: Path, *, create: bool) -> tuple[ProjectStore, str]:
    """Opens a project for writing, or read-only where it must be. Call it on the database thread.

    Returns:
        The store, and why it is read-only in words ('' where it is not).

    Raises:
        NotAProjectError, NewerProjectError, DamagedProjectError: it cannot be opened at all.
        OSError: the folder of the project cannot be made.
    """
    store_class: Any = _store_module().ProjectStore
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        store = store_class.open(path, create=create)
    except ReadOnlyProjectError as error:
        return store_class.open(path, read_only=True), f"{error.reason} Decisions cannot be saved."
    if store.read_only:
        return store, f"{path} can be read but not written. Decisions cannot be saved."
    try:
        store.claim_window()
    except ProjectInUseError as error:
        store.close()
        return store_class.open(path, read_only=True), f"{error.reason} It is shown here read-only."
    except BaseException:
        store.close()
        raise
    return store, ""
