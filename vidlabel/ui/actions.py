"""Every action of the window as a QAction: its words, its keys, where it acts, and the menu it stands in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QKeyCombination, QObject, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from vidlabel.core.words import QueueOrder
from vidlabel.services.keys import Keys
from vidlabel.ui.parts.keycap import cap_text

DECISIONS = frozenset(
    {
        "decide.accept",
        "decide.skip",
        "decide.unsure",
        "decide.unusable",
        "review.accept",
        *(f"decide.take_{n}" for n in range(1, 6)),
    }
)
"""What writes to the project: auto-repeat never starts it."""
ONCE = DECISIONS | {
    *("program.undo", "program.redo", "decide.pick", "play.toggle", "play.loop", "play.mute"),
    *("play.full_screen", "play.zoom_fit", "see.saliency", "see.blind", "see.grid"),
    *("review.toggle", "review.other", "review.invert", "review.open", "review.choose", "review.mode"),
}
"""These and the toggles act once for each press."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What the window knows of an action beyond its keys. ``words`` empty: those of the key table.

    ``page``: it needs an open project. Those of the Project menu and the ways to the pages then act on every
    page, those of the Model menu on the models page, all others on the labelling page.
    """

    id: str
    menu: str
    words: str = ""
    page: bool = False
    checkable: bool = False
    group: str = ""
    separator: bool = False
    """A line above it in the menu."""


def _choice(group: str, value: str, words: str, *, separator: bool = False) -> Spec:
    """One of several of which one holds; queue orders need a project."""
    return Spec(
        id=f"{group}.{value}",
        menu="View",
        words=words,
        page=group == "order",
        checkable=True,
        group=group,
        separator=separator,
    )


MENUS = ("Project", "Edit", "Decide", "Play", "Review", "View", "Model", "Help")
_PAGE_OF_MENU = {"Project": "", "Model": "models", "Review": "review"}
_ALSO_ON = {"program.undo": "review", "program.redo": "review", "see.blind": "review"}
"""Actions of the labelling page that mean the same on another one."""

SPECS: tuple[Spec, ...] = (
    Spec(id="program.open", menu="Project", words="Open folder…"),
    Spec(id="project.open_file", menu="Project", words="Open project…"),
    Spec(id="project.samples", menu="Project", words="Try the sample clips"),
    Spec(id="project.add_folder", menu="Project", words="Add a folder…", page=True, separator=True),
    Spec(id="project.scan", menu="Project", words="Look for new videos", page=True),
    Spec(id="project.suggest", menu="Project", words="Suggest labels", page=True, checkable=True),
    Spec(id="project.sweep", menu="Project", words="Look for clips in long videos", page=True, checkable=True),
    Spec(id="project.proposals", menu="Project", words="Proposed clips…", page=True),
    Spec(id="project.labels", menu="Project", words="Labels…", page=True, separator=True),
    Spec(id="program.export", menu="Project", words="Export…", page=True),
    Spec(id="project.close", menu="Project", words="Close project", page=True, separator=True),
    Spec(id="program.settings", menu="Project", words="Settings…"),
    Spec(id="program.quit", menu="Project", separator=True),
    Spec(id="program.undo", menu="Edit", page=True),
    Spec(id="program.redo", menu="Edit", page=True),
    Spec(id="program.filter", menu="Edit", page=True, separator=True),
    Spec(id="library.clear_filter", menu="Edit", words="Clear the filter", page=True),
    Spec(id="decide.accept", menu="Decide", page=True),
    *(Spec(id=f"decide.take_{n}", menu="Decide", page=True) for n in range(1, 6)),
    Spec(id="decide.pick", menu="Decide", page=True, separator=True),
    Spec(id="decide.skip", menu="Decide", page=True, separator=True),
    Spec(id="decide.unsure", menu="Decide", page=True),
    Spec(id="decide.unusable", menu="Decide", page=True),
    Spec(id="move.previous", menu="Decide", page=True, separator=True),
    Spec(id="move.next", menu="Decide", page=True),
    Spec(id="move.first", menu="Decide", page=True),
    Spec(id="move.last", menu="Decide", page=True),
    Spec(id="move.page_up", menu="Decide", page=True),
    Spec(id="move.page_down", menu="Decide", page=True),
    Spec(id="play.toggle", menu="Play", page=True),
    Spec(id="play.frame_back", menu="Play", page=True, separator=True),
    Spec(id="play.frame_forward", menu="Play", page=True),
    Spec(id="play.back", menu="Play", page=True),
    Spec(id="play.forward", menu="Play", page=True),
    Spec(id="play.back_far", menu="Play", page=True),
    Spec(id="play.forward_far", menu="Play", page=True),
    Spec(id="play.slower", menu="Play", page=True, separator=True),
    Spec(id="play.faster", menu="Play", page=True),
    Spec(id="play.normal", menu="Play", page=True),
    Spec(id="play.loop", menu="Play", page=True),
    Spec(id="play.mute", menu="Play", page=True, separator=True, checkable=True),
    Spec(id="review.accept", menu="Review", page=True),
    Spec(id="review.toggle", menu="Review", page=True, separator=True),
    Spec(id="review.other", menu="Review", page=True),
    Spec(id="review.invert", menu="Review", page=True),
    Spec(id="review.open", menu="Review", page=True),
    *(Spec(id=f"review.clicked_{what}", menu="Review", page=True, words=words, checkable=True,
           group="review.clicked", separator=what == "leave")
      for what, words in (("leave", "Clicked clips stay undecided"), ("skip", "Clicked clips are skipped"),
                          ("unsure", "Clicked clips are marked unsure"))),
    Spec(id="review.mode", menu="Review", page=True, checkable=True, separator=True),
    *(Spec(id=f"review.{what}", menu="Review", page=True)
      for what in ("choose", "next_label", "previous_label", "lower", "higher")),
    Spec(id="review.next_screen", menu="Review", page=True, separator=True),
    *(Spec(id=f"review.{what}", menu="Review", page=True)
      for what in ("previous_screen", "left", "right", "up", "down", "first", "last")),
    Spec(id="review.fewer", menu="Review", page=True, separator=True),
    Spec(id="review.more", menu="Review", page=True),
    Spec(id="page.label", menu="View", page=True, words="Labelling page"),
    Spec(id="page.review", menu="View", page=True, words="Review page"),
    Spec(id="page.evaluate", menu="View", page=True, words="Evaluate page"),
    Spec(id="page.models", menu="View", page=True, words="Models page"),
    Spec(id="page.train", menu="View", page=True, words="Train page"),
    Spec(id="play.full_screen", menu="View", page=True, checkable=True, separator=True),
    Spec(id="play.zoom_fit", menu="View", page=True, checkable=True, words="Enlarge small videos to fit"),
    Spec(id="see.saliency", menu="View", page=True, checkable=True),
    Spec(id="see.blind", menu="View", page=True, checkable=True),
    Spec(id="see.grid", menu="View", page=True, checkable=True, words="Library as a grid"),
    Spec(id="library.counts", menu="View", words="Clips per label", page=True),
    _choice("order", QueueOrder.LEAST_SURE, "Order: least sure first", separator=True),
    _choice("order", QueueOrder.SUREST, "Order: surest first"),
    _choice("order", QueueOrder.PATH, "Order: by path"),
    _choice("order", QueueOrder.RANDOM, "Order: random"),
    _choice("theme", "system", "Colours: as the system", separator=True),
    _choice("theme", "dark", "Colours: dark"),
    _choice("theme", "light", "Colours: light"),
    Spec(id="models.use", menu="Model", words="Use the chosen model in this project", page=True),
    Spec(id="models.install", menu="Model", words="Install the chosen model", page=True, separator=True),
    Spec(id="models.cancel", menu="Model", words="Stop installing the chosen model", page=True),
    Spec(id="models.import", menu="Model", words="Import a model file…", page=True, separator=True),
    Spec(id="models.export", menu="Model", words="Export the chosen model…", page=True),
    Spec(id="models.remove", menu="Model", words="Remove the chosen model…", page=True),
    Spec(id="models.folder", menu="Model", words="Open the folder of models", page=True, separator=True),
    Spec(id="models.look", menu="Model", words="Look again for models", page=True),
    Spec(id="program.palette", menu="Help"),
    Spec(id="program.keys", menu="Help"),
    Spec(id="program.about", menu="Help", words="About vidlabel", separator=True),
)  # fmt: skip


class LetterShortcut(QShortcut):
    """Shift with a letter: opens the label picker with that letter in it."""

    typed = Signal(str)

    def __init__(self, letter: str, parent: QWidget) -> None:
        super().__init__(QKeySequence(f"Shift+{letter}"), parent)
        self._letter = letter.lower()
        self.setAutoRepeat(False)
        self.activated.connect(self._send)

    @Slot()
    def _send(self) -> None:
        self.typed.emit(self._letter)


class Actions(QObject):
    """Builds the actions on a window and keeps their keys as the person wants them."""

    letter_typed = Signal(str)
    keys_changed = Signal()

    def __init__(self, window: QWidget, keys: Keys) -> None:
        super().__init__(window)
        self._keys = keys
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._letters: list[LetterShortcut] = []
        self._page_on = False
        self._place = "label"
        known = {action.id: action for action in keys.actions()}
        self._keyed = frozenset(known)
        for spec in SPECS:
            words = spec.words or (known[spec.id].words if spec.id in known else "")
            action = QAction(words, self)
            action.setObjectName(spec.id)
            action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.setAutoRepeat(spec.id not in ONCE)
            action.setCheckable(spec.checkable)
            action.setEnabled(not spec.page)
            if spec.group:
                self._group(spec.group).addAction(action)
            window.addAction(action)
            self._actions[spec.id] = action
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            shortcut = LetterShortcut(letter, window)
            shortcut.typed.connect(self.letter_typed)
            self._letters.append(shortcut)
        keys.changed.connect(self._apply_keys)
        self._apply_keys()
        self.set_page_active(False)

    def __contains__(self, action_id: str) -> bool:
        return action_id in self._actions

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def all(self) -> tuple[QAction, ...]:
        return tuple(self._actions.values())

    def connect_to(self, action_id: str, slot: Callable[[], object]) -> None:
        """Runs a bound method when the action is started."""
        self._actions[action_id].triggered.connect(slot)

    def caps(self, action_id: str, count: int = 1) -> tuple[str, ...]:
        """The first keys of an action as caps show them; empty without a key."""
        if action_id not in self._keyed:
            return ()
        return tuple(cap_text(sequence) for sequence in self._keys.sequences(action_id)[:count])

    def acts_once(self, event: QKeyEvent) -> bool:
        """Whether this key starts an action that acts once for each press, however long it is held."""
        keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        sequence = QKeySequence(QKeyCombination(keys, Qt.Key(event.key())))
        return any(sequence in self._actions[action_id].shortcuts() for action_id in ONCE)

    def set_page_active(self, active: bool) -> None:
        """Switches the actions that need an open project on or off."""
        self._page_on = active
        self._apply_page()

    def set_place(self, place: str) -> None:
        """Switches to the actions of a page: ``label`` or ``models``."""
        self._place = place
        self._apply_page()

    def _apply_page(self) -> None:
        for spec in SPECS:
            if spec.page:
                place = "" if spec.id.startswith("page.") else _PAGE_OF_MENU.get(spec.menu, "label")
                here = place in ("", self._place) or _ALSO_ON.get(spec.id) == self._place
                self._actions[spec.id].setEnabled(self._page_on and here)
        self._free_letters()

    def _free_letters(self) -> None:
        """A letter given to an action opens no picker: two owners of a key would both be mute."""
        taken = {sequence.toString() for action in self.all() for sequence in action.shortcuts()}
        for shortcut in self._letters:
            free = shortcut.key().toString() not in taken
            shortcut.setEnabled(self._page_on and self._place == "label" and free)

    @property
    def page_active(self) -> bool:
        return self._page_on

    def _group(self, name: str) -> QActionGroup:
        if name not in self._groups:
            self._groups[name] = QActionGroup(self)
        return self._groups[name]

    @Slot()
    def _apply_keys(self) -> None:
        for action_id, action in self._actions.items():
            if action_id in self._keyed:
                sequences = self._keys.sequences(action_id)
                action.setShortcuts([QKeySequence(sequence) for sequence in sequences])
                caps = self.caps(action_id)
                action.setToolTip(f"{action.text()} ({caps[0]})" if caps else action.text())
        self._free_letters()
        self.keys_changed.emit()
