"""Remarks, what a label set editor keeps, blind re-checks, and totals of folders.

Only adds columns, tables and triggers: no table is rebuilt, so nothing that refers to one can be lost by it.
"""
# ruff: noqa: E501

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TRIGGERS = (
    "CREATE TRIGGER remarks_keep_update BEFORE UPDATE ON remarks BEGIN SELECT RAISE(ABORT, 'remarks are never changed'); END",
    "CREATE TRIGGER remarks_keep_delete BEFORE DELETE ON remarks BEGIN SELECT RAISE(ABORT, 'remarks are never removed'); END",
    "CREATE TRIGGER clips_folder_insert AFTER INSERT ON clips BEGIN INSERT INTO folder_counts (root_id, folder, clips, decided) SELECT NEW.root_id, rtrim(rtrim(NEW.relative, replace(NEW.relative, '/', '')), '/'), 1, (NEW.state IN ('accepted', 'corrected', 'labelled')) WHERE NEW.removed = 0 ON CONFLICT (root_id, folder) DO UPDATE SET clips = clips + excluded.clips, decided = decided + excluded.decided; END",
    "CREATE TRIGGER clips_folder_delete AFTER DELETE ON clips BEGIN INSERT INTO folder_counts (root_id, folder, clips, decided) SELECT OLD.root_id, rtrim(rtrim(OLD.relative, replace(OLD.relative, '/', '')), '/'), -1, -(OLD.state IN ('accepted', 'corrected', 'labelled')) WHERE OLD.removed = 0 ON CONFLICT (root_id, folder) DO UPDATE SET clips = clips + excluded.clips, decided = decided + excluded.decided; END",
    "CREATE TRIGGER clips_folder_update AFTER UPDATE ON clips WHEN OLD.removed IS NOT NEW.removed OR OLD.root_id IS NOT NEW.root_id OR OLD.relative IS NOT NEW.relative OR (OLD.state IN ('accepted', 'corrected', 'labelled')) IS NOT (NEW.state IN ('accepted', 'corrected', 'labelled')) BEGIN INSERT INTO folder_counts (root_id, folder, clips, decided) SELECT OLD.root_id, rtrim(rtrim(OLD.relative, replace(OLD.relative, '/', '')), '/'), -1, -(OLD.state IN ('accepted', 'corrected', 'labelled')) WHERE OLD.removed = 0 ON CONFLICT (root_id, folder) DO UPDATE SET clips = clips + excluded.clips, decided = decided + excluded.decided; INSERT INTO folder_counts (root_id, folder, clips, decided) SELECT NEW.root_id, rtrim(rtrim(NEW.relative, replace(NEW.relative, '/', '')), '/'), 1, (NEW.state IN ('accepted', 'corrected', 'labelled')) WHERE NEW.removed = 0 ON CONFLICT (root_id, folder) DO UPDATE SET clips = clips + excluded.clips, decided = decided + excluded.decided; END",
)

COUNTED = """
INSERT INTO folder_counts (root_id, folder, clips, decided)
SELECT root_id, rtrim(rtrim(relative, replace(relative, '/', '')), '/') AS folder, count(*),
    sum(state IN ('accepted', 'corrected', 'labelled'))
FROM clips WHERE removed = 0 GROUP BY root_id, folder
"""


def upgrade() -> None:
    """Every row of an older project stays as it is; folders are counted once."""
    op.add_column("labels", sa.Column("colour", sa.Text(), nullable=True))
    op.add_column("labels", sa.Column("key", sa.Text(), nullable=True))
    op.add_column("labels", sa.Column("merged_into", ID, nullable=True))
    op.add_column("clips", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("clips", sa.Column("flagged", sa.Boolean(), server_default="0", nullable=False))
    op.add_column(
        "clips",
        sa.Column("disagrees", sa.Boolean(), sa.Computed("label <> suggested", persisted=False)),
    )
    op.add_column("steps", sa.Column("kind", sa.Text(), server_default="decisions", nullable=False))
    op.add_column("steps", sa.Column("details", sa.Text(), server_default="{}", nullable=False))
    op.add_column("decisions", sa.Column("blind", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("decisions", sa.Column("rechecks", ID, nullable=True))
    op.create_table(
        "remarks",
        sa.Column("id", ID, nullable=False),
        sa.Column("clip_id", ID, nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("step_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_remarks_clip_id")),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_remarks_step_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remarks")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_remarks_clip_id"), "remarks", ["clip_id"])
    op.create_table(
        "folder_counts",
        sa.Column("root_id", ID, nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("clips", sa.BigInteger(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("root_id", "folder", name=op.f("pk_folder_counts")),
        sqlite_with_rowid=False,
    )
    op.execute(COUNTED)
    for trigger in TRIGGERS:
        op.execute(trigger)
