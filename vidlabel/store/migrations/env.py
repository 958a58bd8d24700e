"""Run by Alembic: it migrates on the connection it is given and leaves committing to the caller."""

from __future__ import annotations

from alembic import context

from vidlabel.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
