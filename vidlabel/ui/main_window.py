"""The window: builds its parts, joins them, remembers its layout. What happens is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QCloseEvent, QIcon, QShortcut, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from vidlabel.core.resources import resources_root
from vidlabel.services.project import ProjectFacts
from vidlabel.services.workbench import Workbench
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.columns import Columns
from vidlabel.ui.command_palette import CommandPalette
from vidlabel.ui.commands import Commands
from vidlabel.ui.decide.panel import DecidePanel
from vidlabel.ui.dialogs import Dialogs
from vidlabel.ui.focus_rules import FocusRules
from vidlabel.ui.library.panel import LibraryPanel
from vidlabel.ui.other_pages import OtherPages
from vidlabel.ui.pages import LABEL, Pages
from vidlabel.ui.player.panel import PlayerPanel
from vidlabel.ui.states import Banner, States
from vidlabel.ui.status_bar import StatusBar
from vidlabel.ui.theme import Theme
from vidlabel.ui.top_bar import TopBar
from vidlabel.ui.welcome import WelcomePage

if TYPE_CHECKING:
    from vidlabel.ui.train.dialogs import Closing

FIRST_SIZE = QSize(1440, 900)


class MainWindow(QMainWindow):
    """One window over one workbench.

    ``opening`` is the project that the command line named: the labelling page is there from the first paint.
    """

    def __init__(self, workbench: Workbench, *, opening: Path | None = None) -> None:
        super().__init__()
        self.workbench = workbench
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self.theme = Theme(application, workbench.settings.theme, self)
        self.setWindowTitle("vidlabel")
        self.setWindowIcon(QIcon(str(resources_root() / "icons" / "vidlabel.svg")))
        self.actions_table = Actions(self, workbench.keys)
        self.focus_rules = FocusRules(application, self.actions_table.acts_once, parent=self)
        self._may_go = self._asked_about_runs = False
        self._build()
        self._wire()
        self._show_choices()
        self._restore()
        if opening is None:
            self._show_welcome()
        else:
            self._about_to_open(opening)

    # --- building --------------------------------------------------------------------------------
    def _build(self) -> None:
        bench, actions = self.workbench, self.actions_table
        self.top_bar = TopBar(actions)
        self.setMenuBar(self.top_bar)
        self.library = LibraryPanel(bench.library, bench.session, settings=bench.settings)
        self.player = PlayerPanel(bench.player, bench.sound, actions=actions)
        self.decide = DecidePanel(
            bench.deciding, bench.library,
            session=bench.session, suggesting=bench.suggesting, calibrating=bench.calibrating, actions=actions,
        )  # fmt: skip
        self.columns = Columns(self.library, self.player, self.decide)
        self.banner = Banner()
        self.status = StatusBar(bench.background)
        self.welcome = WelcomePage(actions)
        self.places = Pages(bench.player)
        self.places.add(LABEL, self._label_page)
        self.other_pages = OtherPages(bench, actions, self.places)
        work = QWidget()
        down = QVBoxLayout(work)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(0)
        for widget, stretch in ((self.banner, 0), (self.places, 1), (self.status, 0)):
            down.addWidget(widget, stretch)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(work)
        self._work = work
        self.setCentralWidget(self.pages)
        self.places.turn_to(LABEL)
        self.palette_sheet = CommandPalette(actions, self)
        self.commands = Commands(bench, actions, library=self.library, window=self)
        self.states = States(bench, self.player, library=self.library, actions=actions, banner=self.banner)
        self.dialogs = Dialogs(bench, actions, self)
        self._escape = QShortcut(Qt.Key.Key_Escape, self)

    def _wire(self) -> None:
        bench, actions = self.workbench, self.actions_table
        bench.project_opened.connect(self._project_opened)
        bench.project_closed.connect(self._project_closed)
        bench.session.open_failed.connect(self._open_failed)
        bench.notice.connect(self.status.say)
        bench.trouble.connect(self._trouble)
        bench.exporting.finished.connect(self.banner.tell)
        bench.deciding.saved.connect(self.status.show_saved)
        bench.session.counts_changed.connect(self.status.show_counts)
        bench.deciding.blind_changed.connect(self.library.view.set_blind)
        bench.settings.changed.connect(self._setting_changed)
        bench.closed.connect(self._go)
        bench.clips_wished.connect(self.show_clips)
        self.library.view.clip_chosen.connect(bench.show_clip)
        self.player.clip_wished.connect(bench.show_clip)
        bench.sweeping.strip_changed.connect(self.player.strip.show_data)
        bench.deciding.blind_changed.connect(self.player.strip.set_blind)
        bench.saliency.changed.connect(self.player.view.set_saliency)
        self.player.view.double_clicked.connect(actions["play.full_screen"].trigger)
        self.welcome.recent_wished.connect(self._open_recent)
        self.commands.about_to_open.connect(self._about_to_open)
        for source in (self.palette_sheet.closed, self.dialogs.closed):
            source.connect(self.places.focus_page)
        self.places.turned.connect(self._page_turned)
        actions.keys_changed.connect(self._show_filter_key)
        actions.letter_typed.connect(self.decide.open_picker_with)
        for source in (self.library.left, self.decide.left, self._escape.activated):
            source.connect(self._escape_pressed)
        for action_id, slot in (
            ("page.label", self._show_label_page),
            ("decide.pick", self.decide.open_picker),
            ("play.full_screen", self._toggle_full_screen),
            ("play.zoom_fit", self._toggle_enlarge),
            ("see.grid", self._toggle_grid),
            ("program.palette", self.palette_sheet.open),
            ("program.quit", self.close),
        ):
            actions.connect_to(action_id, slot)

    def open_path(self, path: Path) -> None:
        """Opens a project file or a folder, as an argument of the command line does."""
        self.commands.open_path(path)

    # --- pages -----------------------------------------------------------------------------------
    def _label_page(self) -> tuple[QWidget, Callable[[], object]]:
        return self.columns, self.player.focus_player

    @Slot()
    def _show_label_page(self) -> None:
        self.places.turn_to(LABEL)

    @Slot(object, str)
    def show_clips(self, clip_ids: tuple[int, ...], words: str) -> None:
        """The labelling page with these clips only; ``words`` end a sentence that begins 'only the clips'."""
        self.library.show_clips(clip_ids, words)
        self._show_label_page()

    @Slot(str)
    def _page_turned(self, place: str) -> None:
        self.actions_table.set_place(place)
        self.top_bar.show_place(place)

    def _to_work(self) -> None:
        """From the welcome page, or from another project, to the labelling page."""
        self.pages.setCurrentWidget(self._work)
        self.actions_table.set_page_active(True)
        self.places.start_over()

    def _show_welcome(self) -> None:
        self.pages.setCurrentWidget(self.welcome)
        self.top_bar.show_place("")
        self.actions_table.set_page_active(False)
        self.welcome.show_recent(self.workbench.settings.recent_projects)
        self.welcome.open_folder.setFocus(Qt.FocusReason.OtherFocusReason)
        self.top_bar.set_project("", "")
        self.setWindowTitle("vidlabel")

    @Slot(Path)
    def _about_to_open(self, path: Path) -> None:
        self.welcome.show_trouble("")
        self._to_work()
        self.states.say_opening(path)
        self.player.focus_player()

    @Slot(object)
    def _project_opened(self, facts: ProjectFacts) -> None:
        # Who turned to another page while it was being opened stays there.
        if self.pages.currentWidget() is not self._work:
            self._to_work()
        self.top_bar.set_project(facts.name, str(facts.path))
        self.setWindowTitle(f"{facts.name} – vidlabel")
        self.library.project_opened(facts)
        self.decide.project_opened(facts)
        self.status.show_counts(facts.counts)
        self.states.project_opened(facts)
        self.places.focus_page()

    @Slot()
    def _project_closed(self) -> None:
        self.status.clear()
        self.banner.hide()
        if not self._may_go:
            self._show_welcome()

    @Slot(str)
    def _open_failed(self, words: str) -> None:
        self._show_welcome()
        self.welcome.show_trouble(words)

    @Slot(str)
    def _open_recent(self, path: str) -> None:
        self.commands.open_path(Path(path))

    @Slot(str)
    def _trouble(self, words: str) -> None:
        if self.pages.currentWidget() is self._work:
            self.banner.say(words)
        else:
            self.welcome.show_trouble(words)

    # --- wishes ----------------------------------------------------------------------------------
    @Slot()
    def _escape_pressed(self) -> None:
        """Back to the player, or what stands for it on another page; pressed there, out of full screen."""
        if self.player.view.hasFocus() and self.actions_table["play.full_screen"].isChecked():
            self.actions_table["play.full_screen"].trigger()
        self.places.focus_page()

    @Slot()
    def _toggle_full_screen(self) -> None:
        """The video and what can be said about it, nothing else."""
        full = self.actions_table["play.full_screen"].isChecked()
        for widget in (self.top_bar, self.library, self.status):
            widget.setVisible(not full)
        self.setWindowState(
            self.windowState() | Qt.WindowState.WindowFullScreen
            if full
            else self.windowState() & ~Qt.WindowState.WindowFullScreen
        )
        self.player.focus_player()

    @Slot()
    def _toggle_enlarge(self) -> None:
        self.player.view.set_enlarge(self.actions_table["play.zoom_fit"].isChecked())

    @Slot()
    def _toggle_grid(self) -> None:
        grid = self.actions_table["see.grid"].isChecked()
        self.workbench.settings.grid = grid
        self.library.view.set_grid(grid)

    # --- settings and layout ---------------------------------------------------------------------
    @Slot(str)
    def _setting_changed(self, name: str) -> None:
        if name == "theme":
            self.theme.choose(self.workbench.settings.theme)
        self._show_choices()

    def _show_choices(self) -> None:
        settings, actions = self.workbench.settings, self.actions_table
        actions[f"theme.{settings.theme}"].setChecked(True)
        actions[f"order.{settings.queue_order.value}"].setChecked(True)
        actions["see.grid"].setChecked(settings.grid)

    @Slot()
    def _show_filter_key(self) -> None:
        self.library.set_filter_caps(self.actions_table.caps("program.filter"))

    def _restore(self) -> None:
        self._show_filter_key()
        settings = self.workbench.settings
        self.actions_table["play.zoom_fit"].setChecked(True)
        if settings.grid:
            self.library.view.set_grid(True)
        if not self.restoreGeometry(settings.window_state("geometry")):
            room = self.screen().availableSize()
            self.resize(FIRST_SIZE.boundedTo(room))
        if not self.columns.restoreState(settings.window_state("splitter/columns")):
            width = self.width()
            left = min(tokens.LIBRARY_WIDTH, max(300, width * 26 // 100))
            right = tokens.DECIDE_WIDTH
            self.columns.setSizes([left, width - left - right, right])

    def _remember(self) -> None:
        if self.actions_table["play.full_screen"].isChecked():
            self.actions_table["play.full_screen"].trigger()
        self.workbench.settings.set_window_state("geometry", self.saveGeometry())
        self.workbench.settings.set_window_state("splitter/columns", self.columns.saveState())

    def _ask_about_runs(self) -> bool:
        """Whether the person is asked first what becomes of a run that is at work."""
        names = self.workbench.runs_at_work
        if not names or self._asked_about_runs or not self.isEnabled():
            return False
        from vidlabel.ui.train.dialogs import ClosingDialog

        dialog = ClosingDialog(names, self)
        dialog.decided.connect(self._runs_decided)
        self.dialogs.show(dialog)
        return True

    @Slot(object)
    def _runs_decided(self, closing: Closing) -> None:
        self._asked_about_runs = True
        self.workbench.end_runs(stop=closing.value == "stop")
        self.close()

    @Slot()
    def _go(self) -> None:
        if self.isEnabled():
            # Ended by a signal, not by its own button.
            self._remember()
            self.workbench.settings.flush()
        self._may_go = True
        self.close()

    # --- Qt --------------------------------------------------------------------------------------
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # Where no window manager gives it the keyboard, it asks for it: keys are to act at once.
        self.activateWindow()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_go:
            event.accept()
            return
        event.ignore()
        if self._ask_about_runs():
            return
        # What was decided is written before the window goes.
        self._remember()
        self.setEnabled(False)
        self.workbench.close()
