"""The left card of a run: what it learns from, how far it is, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.core.runs import RESUMABLE, RunState
from vidlabel.services.run_jobs import RunEntry, RunFacts
from vidlabel.services.run_story import RunStory
from vidlabel.ui import tokens
from vidlabel.ui.models.card import ProgressBar
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.train import texts


class RunCard(QWidget):
    """Facts, progress and buttons; a button that means nothing now is not there."""

    wished = Signal(str)
    """``pause``, ``resume``, ``keep`` or ``stop``"""
    go_on_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = SectionHead("")
        self.facts: dict[str, Words] = {}
        self.bar = ProgressBar()
        self.progress = Words(level="second")
        self.steps = Words(level="third", size=tokens.SECONDARY, wrap=True)
        self.ending = Words(wrap=True)
        self.note = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.pause = CapButton("Pause", name="Pause the run")
        self.keep = CapButton("Stop, keep best", name="Stop and make a model of the best epoch so far")
        self.stop = CapButton("Stop", look="quiet", name="Stop the run with a checkpoint")
        self.go_on = CapButton("Resume", look="primary", name="Resume the run from its checkpoint")
        self.pause.clicked.connect(self._pause)
        self.keep.clicked.connect(self._keep)
        self.stop.clicked.connect(self._stop)
        self.go_on.clicked.connect(self.go_on_wished)
        self._paused = False
        self._build()

    def _build(self) -> None:
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(8)
        down.addWidget(self.head)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for row, name in enumerate(("Clips", "Base", "Tunes", "Device")):
            words = self.facts[name] = Words(wrap=True)
            grid.addWidget(Words(name, level="second"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(words, row, 1)
        down.addLayout(grid)
        down.addSpacing(4)
        for widget in (self.bar, self.progress, self.steps, self.ending, self.note):
            down.addWidget(widget)
        row_of = QHBoxLayout()
        row_of.setSpacing(tokens.GAP)
        for button in self.buttons:
            row_of.addWidget(button)
        row_of.addStretch(1)
        down.addLayout(row_of)

    @property
    def buttons(self) -> tuple[CapButton, ...]:
        """All there are; those that mean nothing now are hidden."""
        return self.go_on, self.pause, self.keep, self.stop

    def show_facts(self, facts: RunFacts) -> None:
        """What it learns from and how."""
        number = facts.name.replace("run-", "Run ")
        self.head.setText(f"{number} · snapshot {facts.snapshot[:4]}…{facts.snapshot[-2:]}")
        self.head.setToolTip(facts.snapshot)
        self.facts["Clips"].setText(texts.clips_words(facts))
        self.facts["Base"].setText(facts.base)
        self.facts["Tunes"].setText(texts.TUNES[facts.settings.tunes])

    def show_run(self, run: RunEntry, story: RunStory, *, facts: RunFacts | None, why_not: str) -> None:
        """How far it is and what can be done."""
        if facts is None:
            self.head.setText(run.name.replace("run-", "Run "))
            for words in self.facts.values():
                words.setText("…")
        else:
            self.facts["Device"].setText(texts.device_words(story, facts.settings))
        live = run.live and story.state not in RESUMABLE
        self._paused = story.state is RunState.PAUSED
        self.bar.set_share(story.share)
        self.bar.setVisible(story.state is not RunState.FINISHED)
        progress = texts.progress_words(story)
        self.progress.setText(f"Paused · {progress}" if live and self._paused else progress)
        self.progress.setVisible(bool(progress))
        self.steps.setText(texts.step_words(story))
        self.steps.setVisible(live and bool(self.steps.text()))
        ending, level = texts.ended_words(run, story)
        self.ending.setText(ending)
        self.ending.set_level(level)
        self.ending.setVisible(bool(ending) and not live)
        self.note.setText(story.notes[-1] if story.notes else "")
        self.note.setToolTip("\n".join(story.notes))
        self.note.setVisible(bool(story.notes))
        proving = story.proving is not None
        if self._paused:
            self.pause.set_words("Go on", name="Go on with the run")
        else:
            self.pause.set_words("Pause", name="Pause the run")
        for button, shown in (
            (self.pause, live and not proving),
            (self.keep, live and not proving and bool(story.epoch_points)),
            (self.stop, live),
            (self.go_on, not live and run.state in RESUMABLE),
        ):
            button.setVisible(shown)
            button.setEnabled(not why_not)
            button.setToolTip(why_not)

    def _pause(self) -> None:
        self.wished.emit("resume" if self._paused else "pause")

    def _keep(self) -> None:
        self.wished.emit("keep")

    def _stop(self) -> None:
        self.wished.emit("stop")
