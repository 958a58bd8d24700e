"""What each action does: the one place where an action's id meets a service."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QWidget

from vidlabel.core.paths import PROJECT_SUFFIX
from vidlabel.services.workbench import Workbench
from vidlabel.ui.actions import Actions
from vidlabel.ui.library.panel import LibraryPanel

_SECOND = 1_000_000


class Commands(QObject):
    """Joins actions to services. What concerns the window itself is told by signals."""

    about_to_open = Signal(Path)

    def __init__(
        self, workbench: Workbench, actions: Actions, *, library: LibraryPanel, window: QWidget
    ) -> None:
        super().__init__(window)
        self._workbench = workbench
        self._actions = actions
        self._library = library
        self._window = window
        self._join_services()
        self._join_own()
        workbench.session.undo_changed.connect(self._undo_changed)
        workbench.deciding.blind_changed.connect(actions["see.blind"].setChecked)
        workbench.saliency.on_changed.connect(actions["see.saliency"].setChecked)
        workbench.suggesting.state_changed.connect(self._suggesting_changed)
        workbench.sweeping.state_changed.connect(self._sweeping_changed)
        self._sweeping_changed(workbench.sweeping.state)

    def _join_services(self) -> None:
        join = self._actions.connect_to
        deciding, player, library = self._workbench.deciding, self._workbench.player, self._workbench.library
        for action_id, slot in (
            ("decide.accept", deciding.accept),
            ("decide.skip", deciding.skip),
            ("decide.unsure", deciding.unsure),
            ("decide.unusable", deciding.unusable),
            ("program.undo", deciding.undo),
            ("program.redo", deciding.redo),
            ("see.saliency", self._workbench.saliency.toggle),
            ("see.blind", deciding.toggle_blind),
            ("move.previous", library.previous),
            ("move.next", library.next),
            ("move.first", library.first),
            ("move.last", library.last),
            ("play.toggle", player.toggle),
            ("play.slower", player.slower),
            ("play.faster", player.faster),
            ("play.normal", player.normal_speed),
            ("play.loop", player.cycle_loop),
            ("play.mute", self._workbench.sound.toggle_muted),
        ):
            join(action_id, slot)

    def _join_own(self) -> None:
        join = self._actions.connect_to
        for number in range(1, 6):
            join(f"decide.take_{number}", self._take)
        for action_id in ("play.frame_back", "play.frame_forward"):
            join(action_id, self._step)
        for action_id in ("play.back", "play.forward", "play.back_far", "play.forward_far"):
            join(action_id, self._seek)
        join("move.page_up", self._page_up)
        join("move.page_down", self._page_down)
        join("program.open", self.open_folder)
        join("project.open_file", self.open_project)
        join("project.samples", self._open_samples)
        join("project.add_folder", self._add_folder)
        join("project.scan", self._workbench.scan)
        join("project.suggest", self._toggle_suggesting)
        join("project.sweep", self._workbench.sweeping.toggle)
        join("project.close", self._workbench.session.close)
        join("program.filter", self._library.focus_filter)
        join("library.clear_filter", self._library.filters.clear)
        join("library.counts", self._library.show_counts)
        for action in self._actions.all():
            if action.objectName().startswith("order."):
                action.triggered.connect(self._order)
            elif action.objectName().startswith("theme."):
                action.triggered.connect(self._theme)

    def _sender_id(self) -> str:
        action = self.sender()
        return action.objectName() if isinstance(action, QAction) else ""

    def open_path(self, path: Path) -> None:
        """Opens a project file or a folder."""
        self.about_to_open.emit(path)
        self._workbench.open_project(path)

    @Slot()
    def open_folder(self) -> None:
        """Asks for a folder of video and opens its project."""
        chosen = QFileDialog.getExistingDirectory(self._window, "Open a folder of video")
        if chosen:
            self.open_path(Path(chosen))

    @Slot()
    def open_project(self) -> None:
        """Asks for a project file and opens it."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, "Open a project", "", f"vidlabel projects (*{PROJECT_SUFFIX})"
        )
        if chosen:
            self.open_path(Path(chosen))

    @Slot()
    def _open_samples(self) -> None:
        self.about_to_open.emit(Path("samples"))
        self._workbench.open_samples()

    @Slot()
    def _add_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self._window, "Add a folder of video to the project")
        if chosen:
            self._workbench.add_root(Path(chosen))

    @Slot()
    def _take(self) -> None:
        self._workbench.deciding.take(int(self._sender_id()[-1]))

    @Slot()
    def _step(self) -> None:
        self._workbench.player.step(-1 if self._sender_id() == "play.frame_back" else 1)

    @Slot()
    def _seek(self) -> None:
        action_id = self._sender_id()
        far = 5 if action_id.endswith("_far") else 1
        self._workbench.player.seek_by((-far if "back" in action_id else far) * _SECOND)

    @Slot()
    def _page_up(self) -> None:
        self._workbench.library.move(-self._library.view.rows_in_sight())

    @Slot()
    def _page_down(self) -> None:
        self._workbench.library.move(self._library.view.rows_in_sight())

    @Slot()
    def _order(self) -> None:
        self._library.choose_order(self._sender_id().removeprefix("order."))

    @Slot()
    def _theme(self) -> None:
        self._workbench.settings.theme = self._sender_id().removeprefix("theme.")

    @Slot()
    def _toggle_suggesting(self) -> None:
        suggesting = self._workbench.suggesting
        if suggesting.state in {"running", "idle", "held", "loading"}:
            suggesting.stop()
        elif suggesting.state == "paused":
            suggesting.resume()
        else:
            suggesting.start()
        self._suggesting_changed(suggesting.state)

    @Slot(str)
    def _suggesting_changed(self, state: str) -> None:
        self._actions["project.suggest"].setChecked(state in {"running", "idle", "held", "loading"})

    @Slot(str)
    def _sweeping_changed(self, state: str) -> None:
        self._actions["project.sweep"].setChecked(state != "off")

    @Slot(object, object)
    def _undo_changed(self, undo: str | None, redo: str | None) -> None:
        # They stay enabled without words: the key then says that there is nothing to undo.
        for action_id, word, what in (("program.undo", "Undo", undo), ("program.redo", "Redo", redo)):
            self._actions[action_id].setText(f"{word}: {what}" if what else word)
