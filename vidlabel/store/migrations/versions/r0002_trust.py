"""Calibrations, sweeps over long videos, and what lists show of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Only adds: every row of an older project stays as it is."""
    op.add_column("clips", sa.Column("shown", sa.Float(), nullable=True))
    op.add_column("clips", sa.Column("proposed_by", ID, nullable=True))
    op.create_index(op.f("ix_clips_shown"), "clips", ["removed", "shown"])
    op.create_index(op.f("ix_clips_proposed_by"), "clips", ["proposed_by"])
    op.create_table(
        "calibrations",
        sa.Column("model_id", ID, nullable=False),
        sa.Column("temperature", sa.Float(), nullable=False),
        sa.Column("clips", sa.BigInteger(), nullable=False),
        sa.Column("ece_before", sa.Float(), nullable=False),
        sa.Column("ece_after", sa.Float(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("fitted_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_calibrations_model_id")),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_calibrations")),
    )
    op.create_table(
        "sweeps",
        sa.Column("id", ID, nullable=False),
        sa.Column("model_id", ID, nullable=False),
        sa.Column("video_id", ID, nullable=False),
        sa.Column("window_us", sa.BigInteger(), nullable=False),
        sa.Column("step_us", sa.BigInteger(), nullable=False),
        sa.Column("windows", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_sweeps_model_id")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_sweeps_video_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
        sa.UniqueConstraint("model_id", "video_id", name=op.f("uq_sweeps_model_id_video_id")),
    )
    op.create_index(op.f("ix_sweeps_video_id"), "sweeps", ["video_id"])
    op.create_table(
        "sweep_parts",
        sa.Column("sweep_id", ID, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("windows", sa.BigInteger(), nullable=False),
        sa.Column("scores", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["sweep_id"], ["sweeps.id"], name=op.f("fk_sweep_parts_sweep_id")),
        sa.PrimaryKeyConstraint("sweep_id", "first", name=op.f("pk_sweep_parts")),
    )
