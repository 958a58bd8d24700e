"""The history of the schema, as Alembic revisions; without an ini file, which a frozen build would lack."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

FOLDER = Path(__file__).parent


def config_for(connection: Connection | None = None) -> Config:
    """Alembic's configuration for a connection that is already in a transaction."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, revision: str) -> None:
    """Runs the migrations up to ``revision`` inside the caller's transaction."""
    command.upgrade(config_for(connection), revision)
