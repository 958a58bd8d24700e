"""The one door to a project file. What comes out are frozen values; nothing outside this folder knows SQL."""

from __future__ import annotations

import os
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy.exc import DBAPIError

from vidlabel.core.clip_order import ClipOrder
from vidlabel.core.errors import NotAProjectError
from vidlabel.core.words import (
    Changes,
    ClipQuery,
    ClipRow,
    Counts,
    Decision,
    FileEntry,
    Folder,
    Label,
    NewDecision,
    ProbeResult,
    QueueOrder,
    Root,
    Suggestion,
)
from vidlabel.store import (
    backup,
    check,
    clips_query,
    decisions,
    former_models,
    history,
    marked,
    scanning,
    suggestions,
    views,
)
from vidlabel.store import labels as label_set
from vidlabel.store import roots as root_table
from vidlabel.store.calibrations import Calibrations
from vidlabel.store.counts import read_counts
from vidlabel.store.engine import Database
from vidlabel.store.folders import read_folders
from vidlabel.store.header import damaged, newer, read_header
from vidlabel.store.history import HistoryEntry
from vidlabel.store.known_models import KnownModels
from vidlabel.store.label_edits import LabelEdits
from vidlabel.store.lock import WindowLock
from vidlabel.store.migrate import create_project, upgrade_project
from vidlabel.store.rechecks import Rechecks
from vidlabel.store.remarks import Remarks
from vidlabel.store.reviews import suggested_counts
from vidlabel.store.rows import rows_of
from vidlabel.store.runs import Runs
from vidlabel.store.schema import VERSION
from vidlabel.store.snapshots import Snapshots
from vidlabel.store.sqlite import read_only_error
from vidlabel.store.steps import Direction, go, next_step
from vidlabel.store.sweeps import Sweeps
from vidlabel.store.videos import look_again, path_at, paths_of, paths_of_many
from vidlabel.store.view_orders import ViewOrders

if TYPE_CHECKING:
    from vidlabel.store.embeddings import Embeddings


class ProjectStore:
    """An open project. Every method may be called from any thread; what a write answered is committed."""

    def __init__(self, database: Database) -> None:
        """Use :meth:`open`."""
        self._database = database
        self._window: WindowLock | None = None
        self._returned: dict[int, frozenset[int]] = {}
        self._embeddings: Embeddings | None = None
        self._views = ViewOrders(database)

    # --- life ------------------------------------------------------------------------------------
    @classmethod
    def open(cls, path: Path, *, create: bool = False, read_only: bool = False) -> ProjectStore:
        """Opens a project, for reading only where file or folder cannot be written.

        Args:
            path: the project file.
            create: make a new project if there is no file yet.
            read_only: write nothing even where that is possible.

        Raises:
            NotAProjectError, NewerProjectError, DamagedProjectError: the file is left as it was.
            ReadOnlyProjectError: it may not be read, or is too old to be read without updating it, or a new
                one cannot be made here.
        """
        path = Path(path).absolute()
        if create and not read_only and not path.exists():
            create_project(path)
        version = read_header(path).version
        read_only = read_only or not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))
        if version < VERSION:
            if read_only:
                raise read_only_error(path)
            upgrade_project(path, version)
        database = Database(path, read_only=read_only)
        try:
            cls._verify(database)
        except DBAPIError as error:
            database.close()
            raise damaged(path, str(error.orig)) from error
        except BaseException:
            database.close()
            raise
        return cls(database)

    @staticmethod
    def _verify(database: Database) -> None:
        """The log of a crash may hold a newer state than the header that was read."""
        with database.read() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if version > VERSION:
                raise newer(database.path)
            if connection.exec_driver_sql("SELECT count(*) FROM project").scalar_one() != 1:
                raise NotAProjectError(database.path, "this database holds no vidlabel project.")

    def close(self) -> None:
        """Ends in good order; calling it twice does no harm."""
        self._database.close()
        if self._window is not None:
            self._window.release()
            self._window = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The project file, absolute."""
        return self._database.path

    @property
    def read_only(self) -> bool:
        """Whether every write will be refused."""
        return self._database.read_only

    def claim_window(self) -> None:
        """Makes this the one window that writes the project; the command line still may, too.

        Raises:
            ProjectInUseError: another window is. Close this store and open the project with ``read_only``.
        """
        if self._window is None and not self.read_only:
            self._window = WindowLock(self.path)

    # --- roots and scanning ----------------------------------------------------------------------
    def roots(self) -> tuple[Root, ...]:
        """The folders watched, in the order they were added."""
        with self._database.read() as connection:
            return root_table.all_roots(connection)

    def add_root(self, path: Path) -> Root:
        """Watches a folder; one that is watched already is answered as it is."""
        path = path.expanduser().resolve()
        with self._database.read() as connection:
            known = root_table.find_root(connection, path)
        if known is not None:
            return known
        with self._database.write_durably() as connection:
            return root_table.find_root(connection, path) or root_table.insert_root(connection, path)

    def relink_root(self, old: Path, new: Path) -> Root:
        """The folder ``old`` is now at ``new``. Scan afterwards to see which files are there."""
        old, new = (path.expanduser().absolute() for path in (old, new))
        with self._database.write_durably() as connection:
            known = root_table.find_root(connection, old)
            return root_table.move_root(
                connection, self.path, old=old if known else old.resolve(), new=new.resolve()
            )

    def reconcile(self, root_id: int, entries: Sequence[FileEntry]) -> tuple[FileEntry, ...]:
        """Of a batch of a walk, the files that are new or changed and must be probed.

        Unchanged files that had been missing are back from here on. Writes nothing if there are none.
        """
        with self._database.read() as connection:
            wanted, back = scanning.new_or_changed(connection, root_id, entries)
        if back and not self.read_only:
            with self._database.write() as connection:
                clips = scanning.mark_back(connection, back).clips
            self._returned[root_id] = self._returned.get(root_id, frozenset()) | clips
        return wanted

    def sizes_known(self, sizes: Iterable[int]) -> set[int]:
        """Those sizes that some known file has: probe new files of that size with their whole content."""
        with self._database.read() as connection:
            return scanning.sizes_known(connection, sizes)

    def save_probes(self, root_id: int, results: Sequence[ProbeResult]) -> Changes:
        """Keeps what probing told: new videos with a clip each, moved ones, copies, changed and bad files."""
        with self._database.write() as connection:
            return scanning.ProbeSaver(connection, root_id, results).save()

    def finish_scan(self, root_id: int, seen: Collection[str]) -> Changes:
        """After a whole walk of a root: files not among ``seen`` (relative paths) are missing.

        If the root itself is not there, nothing changes: its disk is only not connected. Clips that
        :meth:`reconcile` found to be back are among those answered.
        """
        with self._database.read() as connection:
            here = next(
                (Path(root.path) for root in root_table.all_roots(connection) if root.id == root_id), None
            )
            if here is None or not here.is_dir():
                return Changes()
            gone, back = scanning.finish_scan(connection, root_id, seen)
        clips = self._returned.pop(root_id, frozenset())
        if gone or back:
            with self._database.write() as connection:
                clips |= scanning.mark_back(connection, back).clips
                clips |= scanning.mark_missing(connection, gone).clips
        return Changes(clips=clips, library=bool(clips))

    def videos_without_hash(self, limit: int) -> list[tuple[int, Path]]:
        """Readable videos to be hashed in spare time: (video id, path)."""
        with self._database.read() as connection:
            return scanning.without_hash(connection, limit)

    def save_hash(self, video_id: int, content_hash: str) -> Changes:
        """Keeps the SHA-256 of a video; two videos that turn out to be the same become one."""
        with self._database.write() as connection:
            return scanning.save_hash(connection, video_id, content_hash)

    def mark_trouble(self, clip_or_path: int | Path, reason: str, *, missing: bool) -> Changes:
        """A file could not be used: it is gone (``missing``), or cannot be decoded. Decisions stay."""
        with self._database.write() as connection:
            if isinstance(clip_or_path, Path):
                place: root_table.Place | None = root_table.place_of(connection, clip_or_path)
            else:
                place = scanning.place_of_clip(connection, clip_or_path)
            if place is None:
                return Changes()
            if (
                not missing
                and (path := path_at(connection, place)) is not None
                and not os.access(path, os.R_OK)
            ):
                # Its rights may change without its time or size: the next scan has to look at it again.
                look_again(connection, place)
            return scanning.mark_trouble(connection, place, reason, missing=missing)

    def paths_of_video(self, video_id: int) -> tuple[Path, ...]:
        """Every path where this content lies, those that are there first."""
        with self._database.read() as connection:
            return tuple(path for path, _ in paths_of(connection, video_id))

    def paths_of_videos(self, video_ids: Iterable[int]) -> dict[int, tuple[Path, ...]]:
        """The same for several videos at once, by video."""
        with self._database.read() as connection:
            return paths_of_many(connection, video_ids)

    # --- clips -----------------------------------------------------------------------------------
    def clip_ids(self, query: ClipQuery) -> array[int]:
        """The ids of all clips that fit, in order; ``array('q')``."""
        with self._database.read() as connection:
            return clips_query.ids_of(connection, query)

    def clip_order(self, query: ClipQuery) -> ClipOrder:
        """The ids of all clips that fit, with what a view needs to know of them.

        Of a large project it is not ``complete`` until :meth:`build_index` has been called.
        """
        return self._views.order(query)

    def build_index(self) -> bool:
        """Reads a large project into memory for :meth:`clip_order`; takes seconds, on any thread.

        Answers whether :meth:`clip_order` has more to tell afterwards.
        """
        return self._views.build_index()

    def clip_rows(self, ids: Sequence[int]) -> tuple[ClipRow, ...]:
        """The rows of these clips in the order asked; clips that are gone are left out."""
        with self._database.read() as connection:
            return rows_of(connection, ids)

    def clip_row(self, clip_id: int) -> ClipRow | None:
        """One clip's row, or None if there is no such clip."""
        return next(iter(self.clip_rows([clip_id])), None)

    def clips_of_video(self, path: Path) -> tuple[ClipRow, ...]:
        """The clips of a file (absolute or relative to a root), the whole video first.

        Raises:
            UnknownVideoError: the project does not know the file.
        """
        with self._database.read() as connection:
            video_id = scanning.video_at(connection, root_table.place_of(connection, path))
            return rows_of(connection, clips_query.clips_of_video(connection, video_id))

    @property
    def sweeps(self) -> Sweeps:
        """Models' passes over whole videos, and the clips proposed from them."""
        return Sweeps(self._database)

    def add_clip(
        self, video_path: Path, start_us: int, end_us: int, *, frames: tuple[int, int] | None = None
    ) -> int:
        """Marks a part of a video as a clip of its own; the same part twice is one clip.

        Args:
            video_path: one of the video's paths.
            start_us: from the video's first frame, inclusive.
            end_us: exclusive.
            frames: first frame and end (exclusive) by the video's frame index; None works them out from the rate.

        Raises:
            UnknownVideoError, UnreadableVideoError: there is no such video, or it cannot be decoded.
            ValueError: the range is empty or not inside the video.
        """
        with self._database.write_durably() as connection:
            video_id = scanning.video_at(connection, root_table.place_of(connection, video_path))
            return marked.add_clip(
                connection, video_id, video_path, start_us=start_us, end_us=end_us, frames=frames
            )

    def counts(self) -> Counts:
        """Clips by state and by label, kept up to date by every write."""
        with self._database.read() as connection:
            return read_counts(connection)

    def folders(self) -> tuple[Folder, ...]:
        """The folders of every root with what lies in them or below; sorted, a folder before what is in it."""
        with self._database.read() as connection:
            return read_folders(connection)

    def suggested_counts(self, least: float) -> dict[str, int]:
        """Waiting clips whose suggestion is shown with at least this confidence (0..1), by suggested label."""
        with self._database.read() as connection:
            return suggested_counts(connection, least)

    # --- decisions -------------------------------------------------------------------------------
    def decide(self, new: Sequence[NewDecision], *, annotator: str) -> Changes:
        """Writes decisions as one step that one undo takes back; they are on the disk on return.

        Raises:
            UnknownLabelError, UnknownVideoError: nothing was written.
            DiskFullError, ReadOnlyProjectError, ProjectInUseError: nothing was written.
        """
        with self._database.write_durably() as connection:
            return decisions.decide(connection, new, annotator)

    def undo(self, *, annotator: str) -> Changes | None:
        """Takes the newest step back, also one from before a restart; None if there is none."""
        with self._database.write_durably() as connection:
            return go(connection, Direction.UNDO, annotator)

    def redo(self, *, annotator: str) -> Changes | None:
        """Does the step undone last again; None if there is none."""
        with self._database.write_durably() as connection:
            return go(connection, Direction.REDO, annotator)

    def can_undo(self) -> str | None:
        """What an undo would take back, in words: 'wave on clip_07.mp4'."""
        return self._next_words(Direction.UNDO)

    def can_redo(self) -> str | None:
        """What a redo would do again, in words."""
        return self._next_words(Direction.REDO)

    def _next_words(self, direction: Direction) -> str | None:
        with self._database.read() as connection:
            step = next_step(connection, direction)
            return None if step is None else str(step.words)

    def history(self, clip_id: int) -> tuple[Decision, ...]:
        """All that was ever decided about a clip, newest first."""
        with self._database.read() as connection:
            return decisions.history(connection, clip_id)

    def histories(self, clip_ids: Iterable[int]) -> dict[int, tuple[Decision, ...]]:
        """The same for several clips at once, by clip; those never decided about are left out."""
        with self._database.read() as connection:
            return decisions.histories(connection, clip_ids)

    def restore(self, decision_id: int, *, annotator: str) -> Changes:
        """An earlier decision is in force again, by a new one that says the same; one step to undo.

        Raises:
            UnknownVideoError: there is no such decision.
        """
        with self._database.write_durably() as connection:
            return decisions.restore(connection, decision_id, annotator)

    def project_history(
        self,
        before: HistoryEntry | None = None,
        *,
        limit: int = 200,
        clip_id: int | None = None,
        annotator: str | None = None,
    ) -> tuple[HistoryEntry, ...]:
        """What was done in the project, newest first; the last entry of a page leads to the next one."""
        with self._database.read() as connection:
            return history.project_history(
                connection, before, limit=limit, clip_id=clip_id, annotator=annotator
            )

    def annotators(self) -> dict[str, int]:
        """Who decided how often, the busiest first."""
        with self._database.read() as connection:
            return history.annotators(connection)

    @property
    def remarks(self) -> Remarks:
        """Notes and flags of clips."""
        return Remarks(self._database)

    @property
    def rechecks(self) -> Rechecks:
        """Blind second looks at decided clips, and how often they agree."""
        return Rechecks(self._database)

    # --- labels ----------------------------------------------------------------------------------
    def labels(self) -> tuple[Label, ...]:
        """The label set in order; retired labels are among them and say so."""
        with self._database.read() as connection:
            return label_set.all_labels(connection)

    def find_label(self, name: str) -> Label | None:
        """The label of this name, retired ones too, or else the one that was called so before a renaming."""
        with self._database.read() as connection:
            return label_set.find(connection, name)

    def recent_labels(self, limit: int) -> tuple[Label, ...]:
        """The labels given most recently, newest first."""
        with self._database.read() as connection:
            return label_set.recent(connection, limit)

    @property
    def label_edits(self) -> LabelEdits:
        """Changes to the label set, each one step to undo."""
        return LabelEdits(self._database)

    def add_label(self, name: str, *, description: str = "", annotator: str = "") -> Label:
        """A new label at the end of the set; a retired one of that name comes back."""
        self.label_edits.add((name,), annotator=annotator, description=description)
        added = self.find_label(name)
        assert added is not None
        return added

    def rename_label(self, label_id: int, name: str, *, annotator: str = "") -> Changes:
        """Another name for the same label; models that know the old one are still understood."""
        return self.label_edits.rename(label_id, name, annotator=annotator)

    def retire_label(self, label_id: int, *, annotator: str = "") -> Changes:
        """The label is not offered any more; clips that have it keep it."""
        return self.label_edits.retire(label_id, annotator=annotator)

    def reorder_labels(self, label_ids: Sequence[int], *, annotator: str = "") -> Changes:
        """These labels first, in this order, then the others as they were."""
        return self.label_edits.reorder(label_ids, annotator=annotator)

    # --- models and suggestions ------------------------------------------------------------------
    @property
    def runs(self) -> Runs:
        """Fine-tuning runs, as the project remembers them."""
        return Runs(self._database)

    @property
    def snapshots(self) -> Snapshots:
        """What runs learned from, and what the next one may learn from."""
        return Snapshots(self._database)

    @property
    def known_models(self) -> KnownModels:
        """Counts of what models said about this project's clips."""
        return KnownModels(self._database)

    @property
    def calibrations(self) -> Calibrations:
        """What makes the confidence of this project's models mean what it says."""
        return Calibrations(self._database)

    @property
    def embeddings(self) -> Embeddings:
        """What models saw in this project's clips, kept in files beside it."""
        if self._embeddings is None:
            # Here and not above: numpy takes a third as long to import as the window takes to be there.
            from vidlabel.store.embeddings import Embeddings

            self._embeddings = Embeddings(self._database)
        return self._embeddings

    def register_model(
        self, model_hash: str, name: str, labels: Sequence[str], card: Mapping[str, Any]
    ) -> None:
        """Makes a model known to the project; the first one becomes the active one."""
        with self._database.write_durably() as connection:
            suggestions.register(connection, model_hash, name, labels=labels, card=dict(card))

    def active_model(self) -> tuple[str, str] | None:
        """Hash and name of the model whose suggestions are shown."""
        with self._database.read() as connection:
            return suggestions.active(connection)

    def set_active_model(self, model_hash: str) -> Changes:
        """Shows this model's suggestions from now on.

        Raises:
            ModelError: the model was not registered.
        """
        with self._database.write_durably() as connection:
            former_models.note_former(connection, model_hash)
            suggestions.set_active(connection, model_hash)
        return Changes(models=True, library=True)

    def former_models(self) -> tuple[str, ...]:
        """Hashes of the models that were the active one before, the latest last."""
        with self._database.read() as connection:
            return former_models.former_models(connection)

    def save_suggestions(self, new: Sequence[Suggestion]) -> Changes:
        """Keeps suggestions; ``model`` is a registered model's hash. Clips that are gone are passed over."""
        with self._database.write() as connection:
            return Changes(clips=frozenset(suggestions.save(connection, new)))

    def suggestion(self, clip_id: int, model_hash: str) -> Suggestion | None:
        """What a model said about a clip, best label first."""
        with self._database.read() as connection:
            return suggestions.find(connection, clip_id, model_hash)

    def suggestions(self, clip_ids: Sequence[int], model_hash: str) -> dict[int, Suggestion]:
        """What a model said about these clips, by clip."""
        with self._database.read() as connection:
            return suggestions.find_many(connection, clip_ids, model_hash)

    def clips_without_suggestion(
        self, model_hash: str, *, limit: int, order: QueueOrder = QueueOrder.LEAST_SURE, seed: int = 0
    ) -> array[int]:
        """Readable clips, decided or not, that the model has said nothing about, those waiting first."""
        with self._database.read() as connection:
            return clips_query.ids_without_suggestion(
                connection, model_hash, limit=limit, order=order, seed=seed
            )

    def suggested_clips(self, model_hash: str) -> Iterator[tuple[ClipRow, Suggestion]]:
        """Every listed clip that the model has said something about, page by page."""
        after = 0
        while True:
            with self._database.read() as connection:
                last, page = suggestions.page_with_clips(connection, model_hash, after)
            yield from page
            if last is None:
                return
            after = last

    # --- settings, views, care -------------------------------------------------------------------
    def setting(self, name: str) -> Any:
        """A setting of the project as it was set, or None."""
        with self._database.read() as connection:
            return views.read_setting(connection, name)

    def set_setting(self, name: str, value: object) -> None:
        """Keeps a setting with the project; anything JSON can say."""
        with self._database.write_durably() as connection:
            views.write_setting(connection, name, value)

    def saved_views(self) -> dict[str, ClipQuery]:
        """Saved filters by name."""
        with self._database.read() as connection:
            return views.read_views(connection)

    def save_view(self, name: str, query: ClipQuery) -> None:
        """Saves a filter; one of the same name is replaced."""
        with self._database.write_durably() as connection:
            views.write_view(connection, name, query)

    def delete_view(self, name: str) -> None:
        """Forgets a saved filter."""
        with self._database.write_durably() as connection:
            views.remove_view(connection, name)

    def backup(self, out: Path | None = None) -> Path:
        """Copies the whole project, also while it is written; by default into the folder of backups.

        Raises:
            DiskFullError, ProjectError: there is no half backup, and an older one of that name is as it was.
        """
        out = backup.chosen_name(self.path, datetime.now()) if out is None else Path(out).absolute()
        return self._database.copy_to(out)

    def backup_if_due(self) -> Path | None:
        """The backup of today, if it is not there yet; the oldest beyond a week's worth goes."""
        out = backup.daily_name(self.path, datetime.now())
        if self.read_only or out.exists():
            return None
        self._database.copy_to(out)
        backup.rotate(self.path)
        return out

    def check(self) -> list[check.Fault]:
        """What is wrong with the database or its files; empty if all is well."""
        with self._database.read() as connection:
            faults = check.faults_of(connection)
        damaged = sum(one.damaged for one in self.embeddings.survey())
        return faults + check.damaged_embeddings(self.embeddings.folder, damaged)

    def repair(self) -> list[str]:
        """Puts right what follows from other rows; answers what was done."""
        with self._database.write_durably() as connection:
            done = check.repair(connection)
        dropped = self.embeddings.drop_damaged()
        return done + ([f"{dropped} damaged embeddings were dropped"] if dropped else [])
