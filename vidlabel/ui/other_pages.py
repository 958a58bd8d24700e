"""The pages beside the labelling page: each is made, and its files loaded, when it is first turned to."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from vidlabel.services.workbench import Workbench
from vidlabel.ui.actions import Actions
from vidlabel.ui.pages import EVALUATE, MODELS, REVIEW, TRAIN, Pages
from vidlabel.ui.review.wiring import ReviewWiring


class OtherPages(QObject):
    """Adds them to ``places`` and turns to them by their actions."""

    def __init__(self, workbench: Workbench, actions: Actions, places: Pages) -> None:
        super().__init__(places)
        self._bench = workbench
        self._actions = actions
        self._places = places
        self.review = ReviewWiring(workbench, actions, self)
        for place, build, action_id, turn in (
            (REVIEW, self.review.build, "page.review", self._show_review),
            (EVALUATE, self._evaluate_page, "page.evaluate", self._show_evaluate),
            (MODELS, self._models_page, "page.models", self._show_models),
            (TRAIN, self._train_page, "page.train", self._show_train),
        ):
            places.add(place, build)
            actions.connect_to(action_id, turn)

    @Slot()
    def _show_review(self) -> None:
        self._turn_to(REVIEW)

    @Slot()
    def _show_evaluate(self) -> None:
        self._turn_to(EVALUATE)

    @Slot()
    def _show_models(self) -> None:
        self._turn_to(MODELS)

    @Slot()
    def _show_train(self) -> None:
        self._turn_to(TRAIN)

    def _turn_to(self, place: str) -> None:
        """Full screen is the labelling page's alone."""
        full_screen = self._actions["play.full_screen"]
        if full_screen.isChecked():
            full_screen.trigger()
        self._places.turn_to(place)

    def _evaluate_page(self) -> tuple[QWidget, Callable[[], object]]:
        from vidlabel.ui.evaluate.page import EvaluatePage

        page = EvaluatePage(self._bench)
        return page, page.focus_setup

    def _models_page(self) -> tuple[QWidget, Callable[[], object]]:
        from vidlabel.ui.models.page import ModelsPage

        page = ModelsPage(self._bench.models, actions=self._actions)
        return page, page.focus_list

    def _train_page(self) -> tuple[QWidget, Callable[[], object]]:
        from vidlabel.ui.train.page import TrainPage

        page = TrainPage(self._bench, actions=self._actions)
        return page, page.focus_first
