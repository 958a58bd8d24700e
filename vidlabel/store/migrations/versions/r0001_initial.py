"""The first schema.

Written out in full and never edited again: it must stay what it was when ``schema.py`` has moved on.
"""
# ruff: noqa: E501

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TRIGGERS = (
    "CREATE TRIGGER decisions_keep_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END",
    "CREATE TRIGGER decisions_keep_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are never removed'); END",
    "CREATE TRIGGER decisions_keep_replace BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'decisions are never replaced'); END",
    "CREATE TRIGGER clips_count_insert AFTER INSERT ON clips BEGIN INSERT INTO clip_counts (what, name, clips) SELECT 'state', NEW.state, 1 WHERE NEW.removed = 0 AND NEW.state IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips + 1; INSERT INTO clip_counts (what, name, clips) SELECT 'label', NEW.label, 1 WHERE NEW.removed = 0 AND NEW.label IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips + 1; END",
    "CREATE TRIGGER clips_count_delete AFTER DELETE ON clips BEGIN INSERT INTO clip_counts (what, name, clips) SELECT 'state', OLD.state, -1 WHERE OLD.removed = 0 AND OLD.state IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips - 1; INSERT INTO clip_counts (what, name, clips) SELECT 'label', OLD.label, -1 WHERE OLD.removed = 0 AND OLD.label IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips - 1; END",
    "CREATE TRIGGER clips_count_update AFTER UPDATE ON clips WHEN OLD.state IS NOT NEW.state OR OLD.label IS NOT NEW.label OR OLD.removed IS NOT NEW.removed BEGIN INSERT INTO clip_counts (what, name, clips) SELECT 'state', OLD.state, -1 WHERE OLD.removed = 0 AND OLD.state IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips - 1; INSERT INTO clip_counts (what, name, clips) SELECT 'label', OLD.label, -1 WHERE OLD.removed = 0 AND OLD.label IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips - 1; INSERT INTO clip_counts (what, name, clips) SELECT 'state', NEW.state, 1 WHERE NEW.removed = 0 AND NEW.state IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips + 1; INSERT INTO clip_counts (what, name, clips) SELECT 'label', NEW.label, 1 WHERE NEW.removed = 0 AND NEW.label IS NOT NULL ON CONFLICT (what, name) DO UPDATE SET clips = clips + 1; END",
)


def upgrade() -> None:
    """Makes every table of a new project."""
    op.create_table(
        "clip_counts",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("clips", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("what", "name", name=op.f("pk_clip_counts")),
    )
    op.create_table(
        "label_sets",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_sets")),
    )
    op.create_table(
        "models",
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("added_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("hash", name=op.f("uq_models_hash")),
    )
    op.create_table(
        "roots",
        sa.Column("id", ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("added_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roots")),
        sa.UniqueConstraint("path", name=op.f("uq_roots_path")),
    )
    op.create_table(
        "saved_views",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_saved_views")),
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
    )
    op.create_table(
        "steps",
        sa.Column("id", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_steps_state", "steps", ["state", "id"], unique=False)
    op.create_table(
        "videos",
        sa.Column("id", ID, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=True),
        sa.Column("frames", sa.BigInteger(), nullable=True),
        sa.Column("fps", sa.Float(), nullable=True),
        sa.Column("variable_rate", sa.Boolean(), nullable=True),
        sa.Column("codec", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("rotation", sa.Integer(), nullable=True),
        sa.Column("audio", sa.Boolean(), nullable=True),
        sa.Column("start_us", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("missing_reason", sa.Text(), nullable=True),
        sa.Column("added_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_videos")),
    )
    op.create_index(op.f("ix_videos_content_hash"), "videos", ["content_hash"], unique=False)
    op.create_index(op.f("ix_videos_fingerprint"), "videos", ["fingerprint"], unique=False)
    op.create_table(
        "clips",
        sa.Column("id", ID, nullable=False),
        sa.Column("video_id", ID, nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("start_frame", sa.BigInteger(), nullable=False),
        sa.Column("end_frame", sa.BigInteger(), nullable=False),
        sa.Column(
            "duration_us", sa.BigInteger(), sa.Computed("end_us - start_us", persisted=True), nullable=False
        ),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("root_id", ID, nullable=False),
        sa.Column("relative", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("decision_id", ID, nullable=True),
        sa.Column("decision_kind", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("annotator", sa.Text(), nullable=True),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=True),
        sa.Column("model_id", ID, nullable=True),
        sa.Column("suggested", sa.Text(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("margin", sa.Float(), nullable=True),
        sa.Column(
            "state",
            sa.Text(),
            sa.Computed(
                "coalesce(trouble, decision_kind, CASE WHEN suggested IS NULL THEN 'undecided' ELSE 'suggested' END)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("start_frame >= 0 AND end_frame >= start_frame", name=op.f("ck_clips_frames")),
        sa.CheckConstraint("start_us >= 0 AND end_us >= start_us", name=op.f("ck_clips_times")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_clips_model_id")),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_clips_root_id")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_clips_video_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clips")),
    )
    op.create_index("ix_clips_decided", "clips", ["removed", "decided_at_us"], unique=False)
    op.create_index("ix_clips_duration", "clips", ["removed", "duration_us"], unique=False)
    op.create_index("ix_clips_label", "clips", ["removed", "label"], unique=False)
    op.create_index("ix_clips_margin", "clips", ["removed", "state", "margin"], unique=False)
    op.create_index("ix_clips_name", "clips", ["removed", "name"], unique=False)
    op.create_index(
        "ix_clips_path", "clips", ["removed", "root_id", "relative", "start_us", "state"], unique=False
    )
    op.create_index("ix_clips_probability", "clips", ["removed", "probability"], unique=False)
    op.create_index(
        "ix_clips_state", "clips", ["removed", "state", "root_id", "relative", "start_us"], unique=False
    )
    op.create_index("ix_clips_suggested", "clips", ["removed", "suggested"], unique=False)
    op.create_index(op.f("ix_clips_video_id"), "clips", ["video_id"], unique=False)
    op.create_table(
        "files",
        sa.Column("id", ID, nullable=False),
        sa.Column("root_id", ID, nullable=False),
        sa.Column("relative", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("video_id", ID, nullable=False),
        sa.Column("missing", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_files_root_id")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_files_video_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("root_id", "relative", name=op.f("uq_files_root_id_relative")),
    )
    op.create_index(op.f("ix_files_size"), "files", ["size"], unique=False)
    op.create_index(op.f("ix_files_video_id"), "files", ["video_id"], unique=False)
    op.create_table(
        "labels",
        sa.Column("id", ID, nullable=False),
        sa.Column("label_set_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("retired", sa.Boolean(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["label_set_id"], ["label_sets.id"], name=op.f("fk_labels_label_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint("label_set_id", "name", name=op.f("uq_labels_label_set_id_name")),
    )
    op.create_table(
        "project",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("label_set_id", ID, nullable=False),
        sa.Column("active_model_id", ID, nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_project_single")),
        sa.ForeignKeyConstraint(["active_model_id"], ["models.id"], name=op.f("fk_project_active_model_id")),
        sa.ForeignKeyConstraint(["label_set_id"], ["label_sets.id"], name=op.f("fk_project_label_set_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project")),
    )
    op.create_table(
        "runs",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("base_model_id", ID, nullable=True),
        sa.Column("model_id", ID, nullable=True),
        sa.Column("started_at_us", sa.BigInteger(), nullable=False),
        sa.Column("finished_at_us", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.Text(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["base_model_id"], ["models.id"], name=op.f("fk_runs_base_model_id")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_runs_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("name", name=op.f("uq_runs_name")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("clip_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label_id", ID, nullable=True),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("suggested", sa.Text(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("took_us", sa.BigInteger(), nullable=True),
        sa.Column("imported", sa.Boolean(), nullable=False),
        sa.Column("undoes", ID, nullable=True),
        sa.Column("step_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_decisions_clip_id")),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_decisions_label_id")),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_decisions_step_id")),
        sa.ForeignKeyConstraint(["undoes"], ["decisions.id"], name=op.f("fk_decisions_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_decisions_clip_id"), "decisions", ["clip_id"], unique=False)
    op.create_table(
        "label_aliases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["label_id"], ["labels.id"], name=op.f("fk_label_aliases_label_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_label_aliases")),
    )
    op.create_table(
        "suggestions",
        sa.Column("model_id", ID, nullable=False),
        sa.Column("clip_id", ID, nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("margin", sa.Float(), nullable=False),
        sa.Column("entropy", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_suggestions_clip_id")),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_suggestions_model_id")),
        sa.PrimaryKeyConstraint("model_id", "clip_id", name=op.f("pk_suggestions")),
    )
    op.create_index(op.f("ix_suggestions_clip_id"), "suggestions", ["clip_id"], unique=False)
    op.create_table(
        "step_clips",
        sa.Column("step_id", ID, nullable=False),
        sa.Column("clip_id", ID, nullable=False),
        sa.Column("before_id", ID, nullable=True),
        sa.Column("after_id", ID, nullable=False),
        sa.Column("last_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["after_id"], ["decisions.id"], name=op.f("fk_step_clips_after_id")),
        sa.ForeignKeyConstraint(["before_id"], ["decisions.id"], name=op.f("fk_step_clips_before_id")),
        sa.ForeignKeyConstraint(["clip_id"], ["clips.id"], name=op.f("fk_step_clips_clip_id")),
        sa.ForeignKeyConstraint(["last_id"], ["decisions.id"], name=op.f("fk_step_clips_last_id")),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_step_clips_step_id")),
        sa.PrimaryKeyConstraint("step_id", "clip_id", name=op.f("pk_step_clips")),
    )
    op.create_index(op.f("ix_step_clips_clip_id"), "step_clips", ["clip_id"], unique=False)
    for trigger in TRIGGERS:
        op.execute(sa.text(trigger))
