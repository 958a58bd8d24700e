"""Keeps the confidence of the active model honest: fits its calibration anew as decisions come in."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from vidlabel.core.words import Calibration, CalibrationState, Changes
from vidlabel.services.project import ProjectFacts, ProjectSession
from vidlabel.services.tasks import Rank, TaskRunner

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

REFIT_AFTER_MS = 2000
"""Measured from the last decision: while somebody decides quickly, nothing is fitted."""
AT_THE_LATEST = 20
"""So many decisions are not let wait any longer."""
_SHOWN_AT_ONCE = 200
"""So many clips take about 10 ms to write: a decision waits no longer than that for them."""


class Calibrating(QObject):
    """Reads decided clips on the reading thread, fits in the pool, and writes what came of it in small parts."""

    state_changed = Signal(object)
    """:class:`~vidlabel.core.words.CalibrationState` of the active model, or None without one"""

    def __init__(self, session: ProjectSession, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._state: CalibrationState | None = None
        self._round = 0
        self._at_work = False
        self._again = False
        self._waiting = 0
        self._told_by_us = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REFIT_AFTER_MS)
        self._timer.timeout.connect(self.refit)
        session.opened.connect(self._on_opened)
        session.closed.connect(self._on_closed)
        session.changed.connect(self._on_changed)

    @property
    def state(self) -> CalibrationState | None:
        """What is known of the active model's calibration; None before it is known, or without a model."""
        return self._state

    @Slot()
    def refit(self) -> None:
        """Now; ``state_changed`` follows if there is anything new."""
        self._timer.stop()
        if not self._session.is_open:
            return
        if self._at_work:
            self._again = True
            return
        self._waiting = 0
        self._at_work, self._again = True, False
        self._session.read(_gathered, partial(self._on_gathered, self._round), self._on_failed)

    def _on_gathered(self, asked_in: int, gathered: _Gathered | None) -> None:
        if asked_in != self._round:
            return
        if gathered is None:
            self._ended(None)
        else:
            self._tasks.run(gathered.fit, partial(self._on_fitted, asked_in), self._on_failed)

    def _on_fitted(self, asked_in: int, fitted: _Fitted) -> None:
        if asked_in != self._round or not self._session.is_open:
            return
        if self._session.read_only:
            self._ended(fitted.state)
            return
        self._session.write(
            partial(_keep, fitted),
            partial(self._on_kept, asked_in, fitted.state),
            self._on_failed,
            rank=Rank.ENGINE,
        )

    def _on_kept(self, asked_in: int, state: CalibrationState, _changes: object) -> None:
        if asked_in == self._round:
            self._session.read(
                partial(_is_shown, state.model),
                partial(self._on_shown_known, asked_in, state),
                self._on_failed,
            )

    def _on_shown_known(self, asked_in: int, state: CalibrationState, shown: bool) -> None:
        if asked_in != self._round:
            return
        if shown:
            self._ended(state)
        else:
            self._show_some(asked_in, state, 0)

    def _show_some(self, asked_in: int, state: CalibrationState, after: int) -> None:
        """A part of the clips at a time: what the person decides meanwhile is written in between."""
        part = _Part(state.model, after)
        self._session.write(
            part.show, partial(self._on_some_shown, asked_in, state, part), self._on_failed, rank=Rank.ENGINE
        )

    def _on_some_shown(self, asked_in: int, state: CalibrationState, part: _Part, _changes: object) -> None:
        if asked_in != self._round:
            return
        if part.after is None:
            self._told_by_us = True
            self._ended(state)
        else:
            self._show_some(asked_in, state, part.after)

    def _ended(self, state: CalibrationState | None) -> None:
        self._at_work = False
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)
        if self._again:
            self.refit()

    def _on_failed(self, words: str) -> None:
        self._at_work = self._again = False
        self._tasks.failed.emit(words)

    # --- what happens ----------------------------------------------------------------------------
    @Slot(object)
    def _on_opened(self, _facts: ProjectFacts) -> None:
        # Playing comes first.
        self._timer.start()

    @Slot()
    def _on_closed(self) -> None:
        self._round += 1
        self._timer.stop()
        self._at_work = self._again = self._told_by_us = False
        self._waiting = 0
        if self._state is not None:
            self._state = None
            self.state_changed.emit(None)

    @Slot(object)
    def _on_changed(self, changes: Changes) -> None:
        if changes.models and self._told_by_us:
            self._told_by_us = False
            return
        self._waiting += len(changes.decisions)
        if self._waiting >= AT_THE_LATEST:
            self.refit()
        elif changes.decisions or (changes.models and not self._at_work):
            self._timer.start()


class _Gathered:
    """What a fit needs, read in one go; the pool computes with it."""

    def __init__(self, model: str, measurable: Any, before: Calibration | None) -> None:
        self._model = model
        self._measurable = measurable
        self._before = before

    def fit(self) -> _Fitted:
        # numpy is loaded here: the window is painted without it.
        learning: Any = importlib.import_module("vidlabel.learning.recalibration")
        clips, labels = self._measurable.clips, self._measurable.labels
        new = learning.fit_calibration(self._model, clips, labels=labels, before=self._before)
        return _Fitted(learning.state_of(self._model, clips, new), self._before, new)


class _Fitted:
    """A calibration that may take the place of the one before; ``new`` None: none is to be had any more."""

    def __init__(self, state: CalibrationState, before: Calibration | None, new: Calibration | None) -> None:
        self.state = state
        self.before = before
        self.new = new


class _Part:
    """Some clips that are to show a model's calibration; ``after`` then says where to go on, None at the end."""

    def __init__(self, model: str, after: int) -> None:
        self._model = model
        self.after: int | None = after

    def show(self, store: ProjectStore) -> Changes | None:
        assert self.after is not None
        self.after = store.calibrations.show_some(self._model, after=self.after, limit=_SHOWN_AT_ONCE)
        # Only with the last part are lists to look again; doing so for each would make them flicker.
        return Changes(models=True, library=True) if self.after is None else None


def _gathered(store: ProjectStore) -> _Gathered | None:
    active = store.active_model()
    if active is None:
        return None
    return _Gathered(
        active[0], store.calibrations.measurable(active[0]), store.calibrations.newest(active[0])
    )


def _keep(fitted: _Fitted, store: ProjectStore) -> Changes | None:
    if fitted.new is not None:
        store.calibrations.keep(fitted.new)
    elif fitted.before is not None:
        store.calibrations.forget(fitted.before.model)
    # Told with the last part of the clips that show it.
    return None


def _is_shown(model: str, store: ProjectStore) -> bool:
    return store.calibrations.is_shown(model)
