"""Which words stand where the video would be, and which over the page: empty states, progress, trouble."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from vidlabel.core.words import ClipRow, ClipState, Counts
from vidlabel.services.project import ProjectFacts
from vidlabel.services.workbench import Workbench
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.library.counts import counts_words
from vidlabel.ui.library.panel import LibraryPanel
from vidlabel.ui.parts.basics import Chip, Words, count, sentence
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.player.panel import PlayerPanel


class Banner(QWidget):
    """A line over the page for what a person should know and act on; it stays until it is closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.words = Words(level="trouble", wrap=True)
        self.close_chip = Chip("Close", name="Close the message")
        self.close_chip.clicked.connect(self.hide)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 8, 12, 8)
        layout.setSpacing(12)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.close_chip)
        self.setMinimumHeight(tokens.CONTROL + 4)
        self.hide()

    @Slot(str)
    def say(self, words: str) -> None:
        """Shows what went wrong in the place of any words that were there."""
        self._show(words, "trouble")

    @Slot(str)
    def tell(self, words: str) -> None:
        """Shows what came of something the person asked for."""
        self._show(words, "")

    def _show(self, words: str, level: str) -> None:
        self.words.set_level(level)
        words = sentence(words)
        self.words.setText(words)
        self.setAccessibleName(words)
        self.show()


class States(QObject):
    """Follows the services and chooses the words of the centre column."""

    def __init__(
        self,
        workbench: Workbench,
        player: PlayerPanel,
        *,
        library: LibraryPanel,
        actions: Actions,
        banner: Banner,
    ) -> None:
        super().__init__(player)
        self._workbench = workbench
        self._player = player
        self._library = library
        self._actions = actions
        self._banner = banner
        self._scanned = ""
        self._done = False
        workbench.session.counts_changed.connect(self._counts_changed)
        workbench.library.reset.connect(self._look)
        workbench.library.reset.connect(self._see_whether_done)
        workbench.deciding.decided.connect(self._see_whether_done)
        workbench.library.all_done.connect(self._all_done)
        workbench.library.view_done.connect(self._view_done)
        workbench.scanner.started.connect(self._look)
        workbench.scanner.finished.connect(self._scan_finished)
        workbench.current_shown.connect(self._current_shown)
        player.covered.connect(workbench.deciding.set_covered)

    def say_opening(self, path: Path) -> None:
        """The project is being read."""
        self._scanned = ""
        self._banner.hide()
        self._player.say("Opening …", detail=str(path))

    def project_opened(self, facts: ProjectFacts) -> None:
        """Until the first clip is there."""
        self._scanned = ""
        if facts.read_only:
            self._banner.say(facts.words)
        if not facts.counts.total:
            self._look()

    @Slot(str)
    def _scan_finished(self, words: str) -> None:
        self._scanned = words
        self._look()

    @Slot()
    def _look(self) -> None:
        """Where no clip can be shown, says why."""
        library = self._workbench.library
        empty = library.loaded or not self._workbench.session.counts.total
        if len(library) or not self._workbench.session.is_open or not empty:
            return
        if library.current_id is not None:
            # It plays on, though the filter leaves it out; the list has the words.
            return
        if library.filtered:
            self._player.say("No clip matches the filter", icon="empty")
            self._player.message.set_buttons(self._button("library.clear_filter", "Clear the filter"))
        elif self._workbench.scanner.running or (
            not self._scanned and self._workbench.settings.scan_by_itself
        ):
            self._player.say("Looking for videos …", "The first clip plays as soon as one is found.")
        else:
            self._say_no_clips()

    def _say_no_clips(self) -> None:
        roots = [root.path for root in self._workbench.session.roots]
        where = roots[0] if len(roots) == 1 else count(len(roots), "folder")
        words = f"No videos were found in {where}." if roots else "The project watches no folder yet."
        self._player.say("No clips yet", f"{words} Add a folder of video, or look again.", icon="empty")
        self._player.message.set_buttons(
            self._button("project.add_folder", "Add a folder", look="primary"),
            self._button("project.scan", "Look again"),
        )

    @Slot()
    def _all_done(self) -> None:
        self._done = True
        counts = self._workbench.session.counts
        self._player.say("Every clip is decided", counts_words(counts), icon="done")
        buttons = [
            self._button("program.export", "Export", look="primary"),
            self._button("library.counts", "Clips per label"),
        ]
        if counts.by_state.get(ClipState.UNSURE, 0):
            again = CapButton("Show the unsure ones")
            again.clicked.connect(self._show_unsure)
            buttons.append(again)
        self._player.message.set_buttons(*buttons)
        self._player.keep_words()

    @Slot()
    def _view_done(self) -> None:
        left = self._workbench.session.counts.pending
        chosen = self._workbench.library.query.chosen
        self._player.say(
            "Every clip of this view is decided" if chosen is None else f"The last clip {chosen.words}",
            f"{count(left, 'clip')} left outside it." if chosen is None else "",
            icon="done",
        )
        self._player.message.set_buttons(
            self._button("library.clear_filter", "Clear the filter", look="primary")
        )
        self._player.keep_words()

    @Slot()
    def _show_unsure(self) -> None:
        self._library.filters.field.setText("state:unsure")

    @Slot(object)
    def _current_shown(self, row: ClipRow | None) -> None:
        self._done = False
        if row is None:
            self._look()

    @Slot(object)
    def _counts_changed(self, counts: Counts) -> None:
        if self._done:
            # The last decision is counted after it is known to be the last.
            self._player.message.words.setText(counts_words(counts))

    @Slot()
    def _see_whether_done(self) -> None:
        """The last decision was taken back, or clips were found: on it goes."""
        library = self._workbench.library
        if not self._done or library.next_pending(None) is None:
            return
        self._done = False
        if library.next_pending(None) == library.current_id:
            self._player.show_picture()
            self._workbench.player.play()
        else:
            library.go_on()

    def _button(self, action_id: str, words: str, *, look: str = "") -> CapButton:
        button = CapButton(words, self._actions.caps(action_id), look=look)
        button.clicked.connect(self._actions[action_id].trigger)
        return button
