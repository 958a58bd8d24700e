"""Starts labelme as its own command does, and notes when its window has been painted; run by labelme's Python.

Usage: python labelme_window.py MARKS. MARKS gets one JSON line {"mark": "painted", "t": seconds since 1970}.
"""

import json
import sys
import time

from PyQt5 import QtCore, QtWidgets

MARKS = sys.argv[1]


class _FirstPaint(QtCore.QObject):
    """Waits for the main window's first paint event, then for the event loop's next turn."""

    def __init__(self, parent: QtCore.QObject) -> None:
        super().__init__(parent)
        self._seen = False

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        if (
            not self._seen
            and event.type() == QtCore.QEvent.Paint
            and isinstance(watched, QtWidgets.QMainWindow)
        ):
            self._seen = True
            QtCore.QTimer.singleShot(0, self._painted)
        return False

    def _painted(self) -> None:
        with open(MARKS, "a", encoding="utf-8") as marks:  # noqa: PTH123 (runs without vidlabel's habits)
            marks.write(json.dumps({"mark": "painted", "t": time.time()}) + "\n")
        QtWidgets.QApplication.exit(0)


class _WatchedApplication(QtWidgets.QApplication):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self._watch = _FirstPaint(self)
        self.installEventFilter(self._watch)


QtWidgets.QApplication = _WatchedApplication

if __name__ == "__main__":
    from labelme.__main__ import main

    sys.argv = ["labelme"]
    main()
