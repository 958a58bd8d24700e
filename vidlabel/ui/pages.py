"""The pages of an open project: the bar that leads to them, and the stack that builds each when it is first wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QStackedWidget, QWidget

from vidlabel.services.playback import Player
from vidlabel.ui.actions import Actions
from vidlabel.ui.parts.basics import Words
from vidlabel.ui.parts.keycap import CapButton

LABEL, REVIEW, EVALUATE, MODELS, TRAIN = "label", "review", "evaluate", "models", "train"


@dataclass(frozen=True, slots=True)
class Place:
    """One page: its action is ``page.<id>``."""

    id: str
    words: str


PLACES = (
    Place(LABEL, "Label"), Place(REVIEW, "Review"), Place(EVALUATE, "Evaluate"), Place(MODELS, "Models"),
    Place(TRAIN, "Train"),
)  # fmt: skip
"""In the order of the bar and of the keys Ctrl+1 to Ctrl+5; pages that do not exist yet are not shown."""


class PageBar(QWidget):
    """The pages by name; the one that is shown is marked. A click leaves the focus to the page."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._actions = actions
        self.setAccessibleName("Pages")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.setSpacing(4)
        self._mark = Words("vidlabel", bold=True)
        row.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(8)
        self._group = QButtonGroup(self)
        self._line = QFrame()
        self._line.setObjectName("Hairline")
        self._line.setFixedSize(1, 18)
        self.tabs: dict[str, CapButton] = {}
        for place in PLACES:
            tab = CapButton(place.words, look="tab", name=f"{place.words} page")
            tab.setCheckable(True)
            tab.clicked.connect(actions[f"page.{place.id}"].trigger)
            self._group.addButton(tab)
            self.tabs[place.id] = tab
            row.addWidget(tab, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addSpacing(6)
        row.addWidget(self._line, 0, Qt.AlignmentFlag.AlignVCenter)
        actions.keys_changed.connect(self._show_keys)
        self._show_keys()

    def show_place(self, place: str) -> None:
        """Marks the page that is shown; '' hides the bar, as where no project is open."""
        for name, tab in self.tabs.items():
            tab.setVisible(bool(place))
            tab.setChecked(name == place)
        self._line.setVisible(bool(place))
        self.adjustSize()

    @Slot()
    def _show_keys(self) -> None:
        for name, tab in self.tabs.items():
            tab.setToolTip(self._actions[f"page.{name}"].toolTip())


class Pages(QStackedWidget):
    """The labelling page stays alive under the others; its playback waits meanwhile and goes on afterwards."""

    turned = Signal(str)
    """id of the page that is shown now"""

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self._builders: dict[str, Callable[[], tuple[QWidget, Callable[[], object]]]] = {}
        self._built: dict[str, QWidget] = {}
        self._focus: dict[str, Callable[[], object]] = {}
        self._place = LABEL
        self._was_playing = False
        # Queued: what begins to play is let begin, and paused in the next turn.
        player.playing_changed.connect(self._keep_quiet, Qt.ConnectionType.QueuedConnection)

    @property
    def place(self) -> str:
        """Which page is shown."""
        return self._place

    def add(self, place: str, build: Callable[[], tuple[QWidget, Callable[[], object]]]) -> None:
        """A page, made when it is first turned to: ``build`` answers it and what gives it the keyboard."""
        self._builders[place] = build

    def page(self, place: str) -> QWidget | None:
        """A page that has been built."""
        return self._built.get(place)

    def turn_to(self, place: str) -> None:
        """Shows a page and gives it the keyboard."""
        if place not in self._built:
            self._built[place], self._focus[place] = self._builders[place]()
            self.addWidget(self._built[place])
        leaves_label = self._place == LABEL != place
        comes_back = place == LABEL != self._place
        self._place = place
        if leaves_label:
            self._was_playing = self._player.playing
            self._player.pause()
        self.setCurrentWidget(self._built[place])
        self.turned.emit(place)
        self.focus_page()
        if comes_back and self._was_playing:
            self._was_playing = False
            self._player.play()

    def focus_page(self) -> None:
        """Gives the keyboard to the page that is shown."""
        if self._place in self._focus:
            self._focus[self._place]()

    def start_over(self) -> None:
        """Another project: back to the labelling page, and nothing is left to go on with."""
        self._was_playing = False
        self.turn_to(LABEL)

    @Slot(bool)
    def _keep_quiet(self, playing: bool) -> None:
        """A clip that became the current one under another page waits until its page is shown."""
        if playing and self._place != LABEL and self._player.playing:
            self._was_playing = True
            self._player.pause()
