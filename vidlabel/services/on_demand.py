"""Services that start-up does without: each is made, and its file loaded, when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from vidlabel.services.evaluating import Evaluating
    from vidlabel.services.models import Models
    from vidlabel.services.reviewing import Reviewing
    from vidlabel.services.training import Training
    from vidlabel.services.workbench import Workbench


class OnDemand(QObject):
    """Makes them from the workbench's own services, and ends those that have processes."""

    ended = Signal()
    """A process of one of them has gone."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self._bench = workbench

    @cached_property
    def models(self) -> Models:
        """The models of this computer."""
        from vidlabel.services.models import Models

        bench = self._bench
        models = Models(
            bench.session, bench.suggesting, tasks=bench.tasks, background=bench.background, parent=bench
        )
        models.told.connect(bench.notice)
        models.jobs.ended.connect(self.ended)
        return models

    @cached_property
    def training(self) -> Training:
        """The runs of the project, looked at once its first clip is on screen."""
        from vidlabel.services.training import Training

        bench = self._bench
        training = Training(
            bench.session, bench.suggesting, tasks=bench.tasks, background=bench.background, parent=bench
        )
        training.told.connect(bench.notice)
        return training

    @cached_property
    def reviewing(self) -> Reviewing:
        """Culling by the screenful."""
        from vidlabel.services.reviewing import Reviewing

        bench = self._bench
        reviewing = Reviewing(
            bench.session, bench.settings, deciding=bench.deciding, filmstrips=bench.filmstrips, parent=bench
        )
        reviewing.refused.connect(bench.notice)
        reviewing.saved.connect(bench.deciding.saved)
        reviewing.failed.connect(bench.trouble)
        return reviewing

    @cached_property
    def evaluating(self) -> Evaluating:
        """Measuring models on decided clips."""
        from vidlabel.services.evaluating import Evaluating

        bench = self._bench
        evaluating = Evaluating(bench.session, tasks=bench.tasks, background=bench.background, parent=bench)
        evaluating.exported.connect(bench.notice)
        evaluating.ended.connect(self.ended)
        return evaluating

    @property
    def runs_at_work(self) -> tuple[str, ...]:
        """Names of the runs whose processes are at work for the open project."""
        return tuple(run.name for run in self.training.live) if self._made("training") else ()

    def stop_runs(self) -> None:
        """Stops the runs at work, each with a checkpoint."""
        for name in self.runs_at_work:
            self.training.wish(name, "stop")

    @property
    def busy(self) -> bool:
        """Whether a process of one of them is still there."""
        if self._made("models") and self.models.jobs.busy:
            return True
        return self._made("evaluating") and self.evaluating.busy

    def close(self) -> None:
        """Asks those that were made to end; ``ended`` follows for each that has a process."""
        for name in ("models", "evaluating", "training"):
            if self._made(name):
                getattr(self, name).close()

    def _made(self, name: str) -> bool:
        return name in self.__dict__
