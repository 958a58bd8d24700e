"""The review page for the window: made when it is first turned to."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from vidlabel.services.workbench import Workbench
from vidlabel.ui.actions import Actions


class ReviewWiring(QObject):
    """Builds the page and opens its clips on the labelling page."""

    def __init__(self, workbench: Workbench, actions: Actions, parent: QObject) -> None:
        super().__init__(parent)
        self._bench = workbench
        self._actions = actions

    def build(self) -> tuple[QWidget, Callable[[], object]]:
        """The page, and what gives it the keyboard."""
        # Loaded here: start-up does without.
        from vidlabel.ui.review.page import ReviewPage

        page = ReviewPage(self._bench, self._actions)
        page.clip_opened.connect(self._open)
        return page, page.focus_grid

    @Slot(int)
    def _open(self, clip_id: int) -> None:
        self._bench.show_clip(clip_id)
        self._actions["page.label"].trigger()
