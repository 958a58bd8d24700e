"""Who gets a key: the focused control where it has a use for it, the page's shortcuts otherwise.

Qt offers a key to shortcuts first unless the focused widget claims it in a ``ShortcutOverride`` event.
Only the widget that has the focus is watched: a filter on the application would run Python for each event.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
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
    """Watches the focused widget and applies :func:`claims`; makes Enter press a focused button."""

    def __init__(self, application: QApplication, parent: QObject | None = None) -> None:
        super().__init__(parent or application)
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
        if kind == QEvent.Type.ShortcutOverride and isinstance(watched, QWidget):
            assert isinstance(event, QKeyEvent)
            if claims(watched, event):
                event.accept()
                return True
        elif kind == QEvent.Type.KeyPress and isinstance(watched, QAbstractButton):
            assert isinstance(event, QKeyEvent)
            if Qt.Key(event.key()) in _ENTER and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
                if not event.isAutoRepeat():
                    watched.click()
                return True
        return False
