"""Which models were a project's active one before, so that the change can be taken back."""

from __future__ import annotations

from sqlalchemy import Connection

from vidlabel.store import suggestions, views

SETTING = "former_models"
"""Under which name they are kept; going back writes what is left of them."""
_MOST = 20


def former_models(connection: Connection) -> tuple[str, ...]:
    """Hashes, the latest last."""
    stored = views.read_setting(connection, SETTING)
    return tuple(str(one) for one in stored) if isinstance(stored, list) else ()


def note_former(connection: Connection, successor: str) -> None:
    """To be called before ``successor`` becomes the active model, in the same transaction."""
    active = suggestions.active(connection)
    if active is None or active[0] == successor:
        return
    views.write_setting(connection, SETTING, [*former_models(connection), active[0]][-_MOST:])
