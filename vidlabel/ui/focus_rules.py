"""Who gets a key: the focused control where it has a use for it, the page's shortcuts otherwise.

Qt offers a key to shortcuts first unless the focused widget claims it in a ``ShortcutOverride`` event.
Only the widget that has the focus is watched: a filter on the application would run Python for each event.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QSlider,
    QWidget,
)

_PRESS = frozenset({Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter})
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
_TRAVEL = frozenset(
    {
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
    }
)
_EDIT = frozenset({Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Escape, *_ENTER, *_TRAVEL})
_TEXT_FIELDS = (QLineEdit, QPlainTextEdit, QAbstractSpinBox)


def claims(widget: QWidget, event: QKeyEvent) -> bool:
    """Whether the focused widget takes this key before any shortcut of the page."""
    key = Qt.Key(event.key())
    command = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier)
    if isinstance(widget, _TEXT_FIELDS):
        # AltGr reports Control and Alt on some systems, and then still writes a character.
        writes = bool(event.text()) and event.text().isprintable()
        altgr = bool(command) and bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        return (writes and (not command or altgr)) or (key in _EDIT and not command)
    if command:
        return False
    if isinstance(widget, QAbstractButton):
        return key in _PRESS
    if isinstance(widget, QComboBox):
        return key in _PRESS or key in (Qt.Key.Key_Up, Qt.Key.Key_Down)
    if isinstance(widget, QSlider) and widget.property("takesArrows"):
        return key in _TRAVEL
    return bool(widget.property("takesArrows")) and key in _TRAVEL


class FocusRules(QObject):
    """Watches the focused widget and applies :func:`claims`; makes Enter press a focused button.

    X11 repeats a held key as releases and presses. Qt calls a press a repeat only if both were in its queue
    when it read the release, and misses some; such a pair carries one time stamp, which no finger manages.

    Args:
        acts_once: whether an action that this key starts acts once for each press.
    """

    def __init__(
        self,
        application: QApplication,
        acts_once: Callable[[QKeyEvent], bool],
        *,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent or application)
        self._acts_once = acts_once
        self._released = (0, 0)
        self._watched: QWidget | None = None
        application.focusChanged.connect(self._focus_changed)

    @Slot(QWidget, QWidget)
    def _focus_changed(self, _old: QWidget | None, now: QWidget | None) -> None:
        if self._watched is not None:
            self._watched.removeEventFilter(self)
        self._watched = now
        if now is not None:
            now.installEventFilter(self)
            now.destroyed.connect(self._watched_destroyed)

    @Slot(QObject)
    def _watched_destroyed(self, gone: QObject) -> None:
        if gone is self._watched:
            self._watched = None

    # --- Qt ---
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.KeyRelease:
            assert isinstance(event, QKeyEvent)
            self._released = (event.key(), event.timestamp())
        elif kind == QEvent.Type.ShortcutOverride and isinstance(watched, QWidget):
            assert isinstance(event, QKeyEvent)
            if claims(watched, event) or (self._repeats(event) and self._acts_once(event)):
                event.accept()
                return True
        elif kind == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if isinstance(watched, QAbstractButton):
                return self._press(watched, event)
            # Kept from the shortcuts above, it comes here, and means nothing to the widget either.
            return (
                self._repeats(event)
                and self._acts_once(event)
                and not (isinstance(watched, QWidget) and claims(watched, event))
            )
        return False

    def _repeats(self, event: QKeyEvent) -> bool:
        return event.isAutoRepeat() or (
            event.timestamp() > 0 and self._released == (event.key(), event.timestamp())
        )

    def _press(self, button: QAbstractButton, event: QKeyEvent) -> bool:
        """Enter presses a button as Space does; neither does so again while it is held."""
        if Qt.Key(event.key()) not in _PRESS or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return False
        if self._repeats(event):
            return True
        if Qt.Key(event.key()) in _ENTER and not isinstance(button, QCheckBox | QRadioButton):
            # Enter on a choice in a dialog is for the dialog's own button.
            button.click()
            return True
        return False
