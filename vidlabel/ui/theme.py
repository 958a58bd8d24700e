"""Dresses the application: fonts, palette and style sheet of the scheme the person or the system wants."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QApplication

from vidlabel.core.resources import resources_root
from vidlabel.ui import tokens
from vidlabel.ui.tokens import DARK, LIGHT, Colours

CHOICES = ("system", "dark", "light")


class Theme(QObject):
    """Keeps the application in one scheme; ``system`` follows the desktop as it changes."""

    changed = Signal(object)

    def __init__(
        self, application: QApplication, choice: str = "system", parent: QObject | None = None
    ) -> None:
        super().__init__(parent or application)
        self._application = application
        self._choice = choice if choice in CHOICES else "system"
        self._colours: Colours | None = None
        _load_fonts()
        application.setStyle("Fusion")
        application.setFont(tokens.font())
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
        self._apply()

    @property
    def choice(self) -> str:
        return self._choice

    @property
    def colours(self) -> Colours:
        return self._colours or DARK

    def choose(self, choice: str) -> None:
        """``system``, ``dark`` or ``light``; anything else counts as ``system``."""
        self._choice = choice if choice in CHOICES else "system"
        self._apply()

    @Slot()
    def _system_changed(self) -> None:
        self._apply()

    def _wanted(self) -> Colours:
        if self._choice != "system":
            return LIGHT if self._choice == "light" else DARK
        # Unknown (no desktop portal) means dark: the video is to be the brightest thing on screen.
        light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
        return LIGHT if light else DARK

    def _apply(self) -> None:
        wanted = self._wanted()
        if wanted is self._colours:
            return
        self._colours = wanted
        self._application.setPalette(tokens.make_palette(wanted))
        self._application.setStyleSheet(tokens.make_sheet(wanted))
        self.changed.emit(wanted)


def _load_fonts() -> None:
    """The bundled family; where it is missing the system's own takes its place."""
    for name in ("Inter-Regular.otf", "Inter-SemiBold.otf"):
        path = resources_root() / "fonts" / name
        if path.is_file():
            QFontDatabase.addApplicationFont(str(path))
