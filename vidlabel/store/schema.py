"""The tables of a project. Change them only together with a new migration; a test compares the two.

A clip's row carries, beside its own facts, what lists show of it: path, newest decision, the active model's
first suggestion. ``state`` follows from those columns inside the database itself, and the totals in
``clip_counts`` from triggers, so that neither can be forgotten by a statement written later.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from vidlabel.store.text import NameText

REVISION = "0004"
"""The newest migration."""
VERSION = int(REVISION)
"""The same as a number; it is kept in the file's header, where it is read without opening the database."""
APPLICATION_ID = 0x766C626C
"""Marks our files among SQLite databases ('vlbl')."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite makes only an INTEGER PRIMARY KEY the row's own number; all its integers have 64 bits anyway."""

alembic_version = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

label_sets = Table(
    "label_sets", metadata, Column("id", Id, primary_key=True), Column("name", Text, nullable=False)
)

labels = Table(
    "labels",
    metadata,
    Column("id", Id, primary_key=True),
    Column("label_set_id", Id, ForeignKey("label_sets.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
    Column("retired", Boolean, nullable=False, server_default="0"),
    Column("colour", Text),
    Column("key", Text),
    Column("merged_into", Id),
    UniqueConstraint("label_set_id", "name"),
)
"""``colour``: '#rrggbb', or NULL for the palette's. ``key``: the person's own shortcut. ``merged_into``: the label
whose name the clips of this one show since the two were merged."""

label_aliases = Table(
    "label_aliases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label_id", Id, ForeignKey("labels.id"), nullable=False),
)
"""Names a label had before: models and files that know it by those still find it."""

models = Table(
    "models",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("added_at_us", BigInteger, nullable=False),
)

project = Table(
    "project",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("uuid", Text, nullable=False),
    Column("created_at_us", BigInteger, nullable=False),
    Column("label_set_id", Id, ForeignKey("label_sets.id"), nullable=False),
    Column("active_model_id", Id, ForeignKey("models.id")),
    CheckConstraint("id = 1", name="single"),
)

settings = Table(
    "settings", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False)
)

saved_views = Table(
    "saved_views", metadata, Column("name", Text, primary_key=True), Column("query", Text, nullable=False)
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("base_model_id", Id, ForeignKey("models.id")),
    Column("model_id", Id, ForeignKey("models.id")),
    Column("started_at_us", BigInteger, nullable=False),
    Column("finished_at_us", BigInteger),
    Column("details", Text, nullable=False, server_default="{}"),
    Column("snapshot_id", Id),
)
"""``details``: settings, base, last figures and words of a failure, as JSON."""

snapshots = Table(
    "snapshots",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", Text, nullable=False, unique=True),
    Column("split", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("labels", BigInteger, nullable=False),
    Column("train", BigInteger, nullable=False),
    Column("validation", BigInteger, nullable=False),
    Column("test", BigInteger, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("manifest", LargeBinary, nullable=False),
)
"""``manifest``: the whole snapshot as JSON, compressed by zlib; the numbers beside it are what lists show."""

dealt_clips = Table(
    "dealt_clips",
    metadata,
    Column("content_hash", Text, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("part", Text, nullable=False),
    Column("source", NameText, nullable=False),
    PrimaryKeyConstraint("content_hash", "start_us", "end_us"),
    sqlite_with_rowid=False,
)
"""The part each clip was dealt to by the snapshots so far: what was test stays test."""

roots = Table(
    "roots",
    metadata,
    Column("id", Id, primary_key=True),
    Column("path", NameText, nullable=False, unique=True),
    Column("added_at_us", BigInteger, nullable=False),
)

videos = Table(
    "videos",
    metadata,
    Column("id", Id, primary_key=True),
    Column("fingerprint", Text, nullable=False, index=True),
    Column("content_hash", Text, index=True),
    Column("size", BigInteger, nullable=False),
    Column("duration_us", BigInteger),
    Column("frames", BigInteger),
    Column("fps", Float),
    Column("variable_rate", Boolean),
    Column("codec", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("rotation", Integer),
    Column("audio", Boolean),
    Column("start_us", BigInteger),
    Column("reason", NameText),
    Column("missing_reason", NameText),
    Column("added_at_us", BigInteger, nullable=False),
)
"""One content each. ``reason``: why it cannot be decoded. ``missing_reason``: why no path of it is there."""

files = Table(
    "files",
    metadata,
    Column("id", Id, primary_key=True),
    Column("root_id", Id, ForeignKey("roots.id"), nullable=False),
    Column("relative", NameText, nullable=False),
    Column("size", BigInteger, nullable=False, index=True),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("video_id", Id, ForeignKey("videos.id"), nullable=False, index=True),
    Column("missing", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("root_id", "relative"),
)

STATE_RULE = (
    "coalesce(trouble, decision_kind, CASE WHEN suggested IS NULL THEN 'undecided' ELSE 'suggested' END)"
)

clips = Table(
    "clips",
    metadata,
    Column("id", Id, primary_key=True),
    Column("video_id", Id, ForeignKey("videos.id"), nullable=False, index=True),
    Column("start_us", BigInteger, nullable=False),
    Column("end_us", BigInteger, nullable=False),
    Column("start_frame", BigInteger, nullable=False),
    Column("end_frame", BigInteger, nullable=False),
    Column("duration_us", BigInteger, Computed("end_us - start_us", persisted=True), nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("removed", Boolean, nullable=False, server_default="0"),
    Column("root_id", Id, ForeignKey("roots.id"), nullable=False),
    Column("relative", NameText, nullable=False),
    Column("name", NameText, nullable=False),
    Column("trouble", Text),
    Column("decision_id", Id),
    Column("decision_kind", Text),
    Column("label", Text),
    Column("annotator", Text),
    Column("decided_at_us", BigInteger),
    Column("model_id", Id, ForeignKey("models.id")),
    Column("suggested", Text),
    Column("probability", Float),
    Column("margin", Float),
    Column("state", Text, Computed(STATE_RULE, persisted=True), nullable=False),
    Column("shown", Float),
    Column("proposed_by", Id),
    Column("note", Text),
    Column("flagged", Boolean, nullable=False, server_default="0"),
    Column("disagrees", Boolean, Computed("label <> suggested", persisted=False)),
    CheckConstraint("start_us >= 0 AND end_us >= start_us", name="times"),
    CheckConstraint("start_frame >= 0 AND end_frame >= start_frame", name="frames"),
)
"""``shown``: the first suggestion's calibrated confidence. ``proposed_by``: the sweep that found the clip.
``note`` and ``flagged``: the newest remark. ``disagrees``: NULL where there is no label or no suggestion."""
_PATH = ("root_id", "relative", "start_us")
Index("ix_clips_path", *(clips.c[name] for name in ("removed", *_PATH, "state")))
Index("ix_clips_name", clips.c.removed, clips.c.name)
Index("ix_clips_duration", clips.c.removed, clips.c.duration_us)
Index("ix_clips_state", *(clips.c[name] for name in ("removed", "state", *_PATH)))
Index("ix_clips_margin", clips.c.removed, clips.c.state, clips.c.margin)
Index("ix_clips_label", clips.c.removed, clips.c.label)
Index("ix_clips_suggested", clips.c.removed, clips.c.suggested)
Index("ix_clips_probability", clips.c.removed, clips.c.probability)
Index("ix_clips_shown", clips.c.removed, clips.c.shown)
Index("ix_clips_proposed_by", clips.c.proposed_by)
Index("ix_clips_decided", clips.c.removed, clips.c.decided_at_us)

clip_counts = Table(
    "clip_counts",
    metadata,
    Column("what", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("clips", BigInteger, nullable=False),
    PrimaryKeyConstraint("what", "name"),
)

folder_counts = Table(
    "folder_counts",
    metadata,
    Column("root_id", Id, nullable=False),
    Column("folder", NameText, nullable=False),
    Column("clips", BigInteger, nullable=False),
    Column("decided", BigInteger, nullable=False),
    PrimaryKeyConstraint("root_id", "folder"),
    sqlite_with_rowid=False,
)
"""Listed clips whose file lies directly in a folder ('' is the root itself); kept by triggers."""

suggestions = Table(
    "suggestions",
    metadata,
    Column("model_id", Id, ForeignKey("models.id"), nullable=False),
    Column("clip_id", Id, ForeignKey("clips.id"), nullable=False, index=True),
    Column("scores", Text, nullable=False),
    Column("margin", Float, nullable=False),
    Column("entropy", Float, nullable=False),
    PrimaryKeyConstraint("model_id", "clip_id"),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("model_id", Id, ForeignKey("models.id"), primary_key=True),
    Column("temperature", Float, nullable=False),
    Column("clips", BigInteger, nullable=False),
    Column("ece_before", Float, nullable=False),
    Column("ece_after", Float, nullable=False),
    Column("details", Text, nullable=False),
    Column("fitted_at_us", BigInteger, nullable=False),
)
"""The newest calibration of each model. ``details``: the bins of both reliability plots, as JSON."""

sweeps = Table(
    "sweeps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("model_id", Id, ForeignKey("models.id"), nullable=False),
    Column("video_id", Id, ForeignKey("videos.id"), nullable=False, index=True),
    Column("window_us", BigInteger, nullable=False),
    Column("step_us", BigInteger, nullable=False),
    Column("windows", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False),
    Column("started_at_us", BigInteger, nullable=False),
    Column("finished_at_us", BigInteger),
    UniqueConstraint("model_id", "video_id"),
)
"""One model's pass over a whole video in overlapping windows, and how far it has come."""

sweep_parts = Table(
    "sweep_parts",
    metadata,
    Column("sweep_id", Id, ForeignKey("sweeps.id"), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("windows", BigInteger, nullable=False),
    Column("scores", LargeBinary, nullable=False),
    PrimaryKeyConstraint("sweep_id", "first"),
)
"""Windows ``first`` to ``first + windows``: float16, little-endian, (windows, labels)."""

steps = Table(
    "steps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("state", Text, nullable=False),
    Column("words", NameText, nullable=False),
    Column("annotator", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, server_default="decisions"),
    Column("details", Text, nullable=False, server_default="{}"),
    sqlite_autoincrement=True,
)
"""What one undo takes back. ``state``: done, undone, or dropped (undone, then something else was decided).

``kind``: decisions, remark or labels; ``details``: what an undo of the last two needs, as JSON.
"""
Index("ix_steps_state", steps.c.state, steps.c.id)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("clip_id", Id, ForeignKey("clips.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("label_id", Id, ForeignKey("labels.id")),
    Column("annotator", Text, nullable=False),
    Column("decided_at_us", BigInteger, nullable=False),
    Column("model", Text),
    Column("suggested", Text),
    Column("probability", Float),
    Column("took_us", BigInteger),
    Column("imported", Boolean, nullable=False),
    Column("undoes", Id, ForeignKey("decisions.id")),
    Column("step_id", Id, ForeignKey("steps.id"), nullable=False),
    Column("blind", Boolean, nullable=False, server_default="0"),
    Column("rechecks", Id),
    sqlite_autoincrement=True,
)
"""``blind``: nothing of the model was shown. ``rechecks``: the decision that this blind one checks again."""

remarks = Table(
    "remarks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("clip_id", Id, ForeignKey("clips.id"), nullable=False, index=True),
    Column("annotator", Text, nullable=False),
    Column("made_at_us", BigInteger, nullable=False),
    Column("note", Text),
    Column("flagged", Boolean, nullable=False),
    Column("step_id", Id, ForeignKey("steps.id")),
    sqlite_autoincrement=True,
)
"""Note and flag of a clip as a person left them; the newest one holds."""

step_clips = Table(
    "step_clips",
    metadata,
    Column("step_id", Id, ForeignKey("steps.id"), nullable=False),
    Column("clip_id", Id, ForeignKey("clips.id"), nullable=False, index=True),
    Column("before_id", Id, ForeignKey("decisions.id")),
    Column("after_id", Id, ForeignKey("decisions.id"), nullable=False),
    Column("last_id", Id, ForeignKey("decisions.id"), nullable=False),
    PrimaryKeyConstraint("step_id", "clip_id"),
)
"""Per clip of a step: the decision in force before and after it, and the newest one the step wrote."""


def _count(what: str, row: str, *, column: str, by: str) -> str:
    return (
        f"INSERT INTO clip_counts (what, name, clips) SELECT '{what}', {row}.{column}, {by}1 "
        f"WHERE {row}.removed = 0 AND {row}.{column} IS NOT NULL "
        f"ON CONFLICT (what, name) DO UPDATE SET clips = clips {by or '+'} 1;"
    )


def _counting(row: str, by: str) -> str:
    return " ".join(_count(what, row, column=what, by=by) for what in ("state", "label"))


FOLDER_RULE = "rtrim(rtrim({row}.relative, replace({row}.relative, '/', '')), '/')"
"""The folder of a path: what is left when everything after its last slash is cut off, and that slash."""
DECIDED_RULE = "({row}.state IN ('accepted', 'corrected', 'labelled'))"


def _folder_count(row: str, by: str) -> str:
    folder, decided = (rule.format(row=row) for rule in (FOLDER_RULE, DECIDED_RULE))
    return (
        f"INSERT INTO folder_counts (root_id, folder, clips, decided) "
        f"SELECT {row}.root_id, {folder}, {by}1, {by}{decided} WHERE {row}.removed = 0 "
        "ON CONFLICT (root_id, folder) DO UPDATE "
        "SET clips = clips + excluded.clips, decided = decided + excluded.decided;"
    )


def _kept(table: str, what: str) -> str:
    return (
        f"CREATE TRIGGER {table}_keep_{what.lower()} BEFORE {what} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} are never {'changed' if what == 'UPDATE' else 'removed'}'); END"
    )


TRIGGERS: tuple[str, ...] = (
    *(_kept(table, what) for table in ("decisions", "remarks") for what in ("UPDATE", "DELETE")),
    "CREATE TRIGGER decisions_keep_replace BEFORE INSERT ON decisions "
    "WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'decisions are never replaced'); END",
    f"CREATE TRIGGER clips_count_insert AFTER INSERT ON clips BEGIN {_counting('NEW', '')} END",
    f"CREATE TRIGGER clips_count_delete AFTER DELETE ON clips BEGIN {_counting('OLD', '-')} END",
    "CREATE TRIGGER clips_count_update AFTER UPDATE ON clips WHEN OLD.state IS NOT NEW.state "
    "OR OLD.label IS NOT NEW.label OR OLD.removed IS NOT NEW.removed "
    f"BEGIN {_counting('OLD', '-')} {_counting('NEW', '')} END",
    f"CREATE TRIGGER clips_folder_insert AFTER INSERT ON clips BEGIN {_folder_count('NEW', '')} END",
    f"CREATE TRIGGER clips_folder_delete AFTER DELETE ON clips BEGIN {_folder_count('OLD', '-')} END",
    "CREATE TRIGGER clips_folder_update AFTER UPDATE ON clips WHEN OLD.removed IS NOT NEW.removed "
    "OR OLD.root_id IS NOT NEW.root_id OR OLD.relative IS NOT NEW.relative "
    f"OR {DECIDED_RULE.format(row='OLD')} IS NOT {DECIDED_RULE.format(row='NEW')} "
    f"BEGIN {_folder_count('OLD', '-')} {_folder_count('NEW', '')} END",
)
"""SQLite's own statements for what the tables cannot say: append-only decisions and remarks, kept counts."""
