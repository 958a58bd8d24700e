"""All services of one window, built and wired in one place; the user interface gets this one object."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.paths import settings_file
from vidlabel.core.resources import resource_path
from vidlabel.core.runs import runs_folder
from vidlabel.core.words import Changes, ClipRow, ClipState
from vidlabel.services.background import Background
from vidlabel.services.calibrating import Calibrating
from vidlabel.services.crash_guard import REASON, CrashGuard
from vidlabel.services.deciding import Deciding
from vidlabel.services.engine_client import EngineClient, EngineState
from vidlabel.services.exporting import Exporting
from vidlabel.services.filmstrips import Filmstrips
from vidlabel.services.keys import Keys
from vidlabel.services.library import Library
from vidlabel.services.on_demand import OnDemand
from vidlabel.services.playback import Player
from vidlabel.services.project import ProjectFacts, ProjectSession
from vidlabel.services.saliency import Saliency
from vidlabel.services.scanning import Scanner
from vidlabel.services.settings import Settings
from vidlabel.services.sound import Sound
from vidlabel.services.suggesting import Suggesting
from vidlabel.services.sweeping import Sweeping
from vidlabel.services.tasks import Rank, TaskRunner
from vidlabel.services.thumbnails import Thumbnails

if TYPE_CHECKING:
    from vidlabel.services.evaluating import Evaluating
    from vidlabel.services.models import Models
    from vidlabel.services.reviewing import Reviewing
    from vidlabel.services.training import Training
    from vidlabel.store.project_store import ProjectStore

log = logging.getLogger(__name__)

PREPARED = 2
_BACKGROUND_AFTER_MS = 300
_TROUBLE = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


class Workbench(QObject):
    """Holds the services and the few flows that need several of them."""

    notice = Signal(str)
    """Words for the status bar that ask for nothing."""
    trouble = Signal(str)
    """Words for an error banner: what, which file, what to do."""
    project_opened = Signal(object)
    """ProjectFacts; the library follows with ``library.reset``."""
    project_closed = Signal()
    current_shown = Signal(object)
    """ClipRow that the player was told to play, or None."""
    clips_wished = Signal(object, str)
    """tuple[int, ...] of clips that the labelling page is to show, and what they have in common in words"""
    closed = Signal()
    """Everything is written and stopped; the window may go."""

    def __init__(self, parent: QObject | None = None, *, engine: EngineClient | None = None) -> None:
        super().__init__(parent)
        self.settings = Settings(settings_file(), self)
        self.engine = engine or EngineClient(self)
        self.keys = Keys(self.settings, self)
        self.tasks = TaskRunner(self)
        self.background = Background(self)
        self.session = ProjectSession(self.tasks, self.settings, self)
        # First to hear of a crash: the others ask it what they may try again.
        self.guard = CrashGuard(self.engine, self.session, self)
        self.thumbnails = Thumbnails(self.engine, self.tasks, self, guard=self.guard)
        self.filmstrips = Filmstrips(self.engine, self.tasks, self, guard=self.guard)
        self.library = Library(self.session, self.settings, thumbnails=self.thumbnails, parent=self)
        self.player = Player(self.engine, self, may_play=self.guard.may_play)
        self.deciding = Deciding(self.session, self.library, self)
        self.scanner = Scanner(self.engine, self.session, self.background, guard=self.guard, parent=self)
        self.suggesting = Suggesting(
            self.engine, self.session, self.settings,
            background=self.background, guard=self.guard, tasks=self.tasks, parent=self,
        )  # fmt: skip
        self.sweeping = Sweeping(
            self.engine, self.session, self.settings,
            suggesting=self.suggesting, background=self.background, guard=self.guard, parent=self,
        )  # fmt: skip
        self.saliency = Saliency(
            self.engine, self.player, self.deciding, suggesting=self.suggesting, parent=self
        )
        self.calibrating = Calibrating(self.session, self.tasks, self)
        self.exporting = Exporting(self.session, self.tasks, background=self.background, parent=self)
        self.sound = Sound(self.engine, self.player, self.settings, tasks=self.tasks, parent=self)
        self.on_demand = OnDemand(self)
        self.on_demand.ended.connect(self._tell_closed)
        self._closing = self._written = self._told_closed = False
        self._prepared: tuple[int, ...] = ()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_BACKGROUND_AFTER_MS)
        self._later.timeout.connect(self._begin_background_work)
        self._connect()

    def _connect(self) -> None:
        self.session.opened.connect(self._on_opened)
        self.session.closed.connect(self.project_closed)
        self.session.closed.connect(self.filmstrips.clear)
        self.session.open_failed.connect(self.trouble)
        self.session.write_failed.connect(self.trouble)
        self.session.changed.connect(self._on_changed)
        self.tasks.failed.connect(self.trouble)
        self.tasks.closed.connect(self._on_tasks_closed)
        self.library.current_chosen.connect(self._on_current)
        self.library.current_changed.connect(self._on_current_told)
        self.library.reset.connect(self._prepare)
        self.library.queue_changed.connect(self._prepare)
        self.player.first_frame_painted.connect(self._on_painted)
        self.player.failed.connect(self._on_player_failed)
        self.player.trouble_found.connect(self._on_trouble_found)
        self.deciding.failed.connect(self.trouble)
        self.deciding.refused.connect(self.notice)
        self.deciding.saved.connect(self.notice)
        self.guard.told.connect(self.trouble)
        self.guard.found_guilty.connect(self._on_guilty)
        self.guard.freed.connect(self._on_freed)
        self.guard.ended.connect(self._tell_closed)
        self.engine.ready.connect(self._prepare)
        self.scanner.problem.connect(self.trouble)
        self.scanner.finished.connect(self._on_scanned)
        self.suggesting.failed.connect(self.trouble)
        self.suggesting.told.connect(self.trouble)
        self.suggesting.model_ready.connect(self._on_model_ready)
        self.saliency.refused.connect(self.notice)
        self.sweeping.failed.connect(self.trouble)
        self.sweeping.told.connect(self.notice)
        self.current_shown.connect(self.sweeping.show_row)
        self.exporting.failed.connect(self.trouble)
        self.sound.unavailable.connect(self.notice)
        self.engine.stopped.connect(self._tell_closed)

    @property
    def models(self) -> Models:
        return self.on_demand.models

    @property
    def training(self) -> Training:
        return self.on_demand.training

    @property
    def reviewing(self) -> Reviewing:
        return self.on_demand.reviewing

    @property
    def evaluating(self) -> Evaluating:
        return self.on_demand.evaluating

    # --- projects --------------------------------------------------------------------------------
    def open_project(self, path: Path) -> None:
        """Opens a ``*.vidlabel`` file or a media folder; an open project is closed first."""
        if self._closing:
            return
        self.engine.start()
        self.session.open(path)

    def open_samples(self) -> None:
        """Opens the sample clips that ship with the program."""
        self.open_project(resource_path("samples"))

    def add_root(self, folder: Path) -> None:
        """Watches one more folder, and scans it."""
        self.session.add_root(folder, self._on_root_added)

    def show_clip(self, clip_id: int) -> None:
        """Makes a clip current and plays it (a click, a search, the history)."""
        self.library.set_current(clip_id)

    def show_clips(self, clip_ids: tuple[int, ...], words: str) -> None:
        """Asks for the labelling page with these clips only, in this order (see ``ChosenClips`` for the words)."""
        self.clips_wished.emit(clip_ids, words)

    def scan(self) -> None:
        """Looks for new, changed and missing files now."""
        self.scanner.start()

    def close(self) -> None:
        """Waits for pending writes, then stops the engine; ``closed`` follows within bounded time."""
        if self._closing:
            return
        self._closing = True
        self._later.stop()
        self.guard.stop()
        self.on_demand.close()
        self.sound.close()
        self.player.open(None)
        self.session.close()
        self.settings.flush()
        self.tasks.close()

    @Slot(object)
    def _on_opened(self, facts: ProjectFacts) -> None:
        self.project_opened.emit(facts)
        if facts.words:
            self.trouble.emit(facts.words)
        # Playing comes first; background work begins when the first clip is on screen, or soon after.
        self._later.start()

    @Slot()
    def _begin_background_work(self) -> None:
        self._later.stop()
        if self.session.is_open:
            self._look_for_runs()
        if self.session.is_open and not self.session.read_only:
            if self.settings.scan_by_itself:
                self.scanner.start()
            if self.settings.suggest_by_itself:
                self.suggesting.start()

    @property
    def runs_at_work(self) -> tuple[str, ...]:
        """Names of the runs whose processes are at work for the open project."""
        return self.on_demand.runs_at_work

    def end_runs(self, *, stop: bool) -> None:
        """Before closing: stops the runs at work with a checkpoint, or leaves them to go on by themselves."""
        if stop:
            self.on_demand.stop_runs()

    def _look_for_runs(self) -> None:
        """One may be at work that another window, or this one before, has started."""
        facts = self.session.facts
        if facts is not None and runs_folder(facts.path).is_dir():
            _ = self.training

    def _on_root_added(self, _changes: Changes | None) -> None:
        self.scanner.start()

    @Slot(str)
    def _on_scanned(self, words: str) -> None:
        self.notice.emit(words)

    @Slot(str, str)
    def _on_model_ready(self, name: str, device: str) -> None:
        self.notice.emit(f"Suggestions by {name} on {device}")

    # --- the clip on screen ----------------------------------------------------------------------
    @Slot(object)
    def _on_current(self, row: ClipRow | None) -> None:
        """The picture first: everything after it may take its time."""
        self.deciding.set_current(row)
        if row is not None and row.state in _TROUBLE:
            reason = row.reason or row.state.value
            self.player.refuse(row, reason, missing=row.state is ClipState.MISSING)
        elif row is not None and self.guard.is_guilty(row.path):
            self.player.refuse(row, REASON, missing=False)
        else:
            self.player.open(row)

    @Slot(object)
    def _on_current_told(self, row: ClipRow | None) -> None:
        self.current_shown.emit(row)
        self._prepare()

    @Slot()
    def _prepare(self) -> None:
        """Decodes what comes next, and the clip above, to which one may go back."""
        current = self.library.current_id
        if current is None:
            return
        ahead = self.library.upcoming(PREPARED)
        index = self.library.index_of(current)
        before = [self.library.ids[index - 1]] if index else []
        wanted = tuple(dict.fromkeys(clip_id for clip_id in [*ahead, *before] if clip_id != current))
        self._prepared = wanted
        self.deciding.prefetch(wanted)
        self.library.fetch(wanted, partial(self._on_rows_to_prepare, wanted))

    def _on_rows_to_prepare(self, wanted: tuple[int, ...], rows: Sequence[ClipRow]) -> None:
        if wanted != self._prepared:
            return
        usable = [row for row in rows if row.state not in _TROUBLE and self.guard.may_try(row.path)]
        self.player.prepare(usable)
        current = self.library.current
        self.suggesting.want_first([row for row in [current, *usable] if row is not None])

    @Slot(object)
    def _on_painted(self, row: ClipRow) -> None:
        self.deciding.on_painted(row)
        if self._later.isActive():
            self._begin_background_work()

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        if changes.models:
            self._prepare()

    @Slot(object, str, bool)
    def _on_player_failed(self, row: ClipRow, reason: str, _missing: bool) -> None:
        self.deciding.on_unplayable(row, reason)

    @Slot(object, str, bool)
    def _on_trouble_found(self, row: ClipRow, reason: str, missing: bool) -> None:
        """Whether on screen or only prepared: it is marked, and the queue goes round it."""
        if not self.session.read_only:
            self.session.write(partial(_mark, row.clip_id, reason, missing), rank=Rank.ENGINE)

    @Slot(str)
    def _on_guilty(self, path: str) -> None:
        row = self.player.row
        if row is not None and row.path == path:
            self.player.give_up(REASON)

    @Slot(str)
    def _on_freed(self, path: str) -> None:
        row = self.player.row
        if row is not None and row.path == path:
            self.player.retry()
        self._prepare()

    # --- the end ---------------------------------------------------------------------------------
    @Slot()
    def _on_tasks_closed(self) -> None:
        self._written = True
        self.engine.stop()
        self._tell_closed()

    @Slot()
    def _tell_closed(self) -> None:
        """Once all is written and every process, the engine, that of a trial and those of models, has gone."""
        busy = self.guard.busy or self.on_demand.busy
        gone = self.engine.state is EngineState.STOPPED and not busy
        if self._written and gone and not self._told_closed:
            self._told_closed = True
            self.closed.emit()


def _mark(clip_id: int, reason: str, missing: bool, store: ProjectStore) -> Changes:
    return store.mark_trouble(clip_id, reason, missing=missing)
