"""Snapshots that runs learned from, and which part each clip was ever dealt to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Only adds: every row of an older project stays as it is."""
    op.add_column("runs", sa.Column("snapshot_id", ID, nullable=True))
    op.create_table(
        "snapshots",
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("labels", sa.BigInteger(), nullable=False),
        sa.Column("train", sa.BigInteger(), nullable=False),
        sa.Column("validation", sa.BigInteger(), nullable=False),
        sa.Column("test", sa.BigInteger(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("hash", name=op.f("uq_snapshots_hash")),
    )
    op.create_table(
        "dealt_clips",
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash", "start_us", "end_us", name=op.f("pk_dealt_clips")),
        sqlite_with_rowid=False,
    )
