"""Before you promote: whether the candidate is better than the active model, in figures, and the two ways on."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.core.proof import LabelChange, Proof
from vidlabel.core.proof_words import cautions, judgement, verdict
from vidlabel.services.run_jobs import InUse, ProofFound, RunEntry
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.train import texts
from vidlabel.ui.train.labels_table import Cell

FIGURE = 28


class ProofSection(QWidget):
    """One big figure, what it was, how sure that is, and what to know before believing it."""

    promote_wished = Signal()
    roll_back_wished = Signal()
    clips_wished = Signal(bool)
    """whether the clips won (else those lost) are to be shown"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measured = Words(level="second", wrap=True)
        self.figure = Words(size=FIGURE, bold=True)
        self.change = Words(bold=True)
        self.interval = Words(level="third", wrap=True)
        self.difference = Words(level="third", size=tokens.SECONDARY, wrap=True)
        self.verdict = Words(wrap=True)
        self.more = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.worse = Words(level="trouble", wrap=True)
        self.won = CapButton("0 won", look="quiet", name="Watch the clips won")
        self.lost = CapButton("0 lost", look="quiet", name="Watch the clips lost")
        self.promote = CapButton("Promote", look="primary", name="Make this run's model the active one")
        self.roll_back = CapButton("Roll back", name="Make the model before it the active one again")
        self.use = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.won.clicked.connect(self._show_won)
        self.lost.clicked.connect(self._show_lost)
        self.promote.clicked.connect(self.promote_wished)
        self.roll_back.clicked.connect(self.roll_back_wished)
        self._build()

    def _build(self) -> None:
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 8, 0, 0)
        down.setSpacing(6)
        down.addWidget(SectionHead("Before you promote"))
        down.addWidget(self.measured)
        figures = QHBoxLayout()
        figures.setSpacing(8)
        self.change.setContentsMargins(0, 0, 0, 5)
        figures.addWidget(self.figure)
        figures.addWidget(self.change, 0, Qt.AlignmentFlag.AlignBottom)
        figures.addStretch(1)
        down.addLayout(figures)
        for widget in (self.interval, self.verdict, self.worse):
            down.addWidget(widget)
        clips = QHBoxLayout()
        clips.setSpacing(4)
        clips.addWidget(self.won)
        clips.addWidget(self.lost)
        clips.addStretch(1)
        down.addLayout(clips)
        row = QHBoxLayout()
        row.setSpacing(tokens.GAP)
        row.addWidget(self.promote)
        row.addWidget(self.roll_back)
        row.addStretch(1)
        down.addLayout(row)
        # What takes long to read comes after what is to be pressed: that is in sight on a small screen.
        for widget in (self.use, self.difference, self.more):
            down.addWidget(widget)

    def show_proof(self, found: ProofFound) -> None:
        """The figures of a proof, or why there are none."""
        proof = found.proof
        for widget in (self.figure, self.change, self.interval, self.difference, self.won, self.lost):
            widget.setVisible(proof is not None and proof.clips > 0)
        if proof is None:
            self.measured.setText(found.trouble or "The model was not measured on the test clips.")
            for widget in (self.verdict, self.more, self.worse):
                widget.hide()
            return
        self.measured.setText(texts.measured_words(proof) if proof.clips else verdict(proof))
        self.figure.setText(texts.shares(proof.candidate.top1))
        self.change.setText(texts.signed(proof.difference))
        self.change.set_level(
            "done" if proof.difference > 0 else "trouble" if proof.difference < 0 else "second"
        )
        self.change.setAccessibleName(f"{texts.signed(proof.difference)} points")
        self.interval.setText(texts.interval_words(proof))
        self.difference.setText(texts.difference_words(proof))
        self.verdict.setText(judgement(proof))
        self.verdict.setVisible(proof.clips > 0)
        self.more.setText(" ".join(cautions(proof)))
        self.more.setVisible(bool(self.more.text()))
        self.worse.setText(texts.worse_words(proof))
        self.worse.setVisible(bool(proof.worse))
        self.won.set_words(f"{len(proof.won):,} won", name=f"Watch the {len(proof.won):,} clips won")
        self.lost.set_words(f"{len(proof.lost):,} lost", name=f"Watch the {len(proof.lost):,} clips lost")
        self.won.setEnabled(bool(proof.won))
        self.lost.setEnabled(bool(proof.lost))

    def show_use(self, run: RunEntry, use: InUse, *, why_not: str) -> None:
        """Which of promoting and rolling back is possible."""
        active = bool(run.model) and run.model == use.active
        self.promote.setVisible(bool(run.model) and not active)
        self.promote.setEnabled(not why_not)
        self.promote.setToolTip(why_not)
        self.roll_back.setVisible(active and bool(use.former))
        self.roll_back.setEnabled(not why_not)
        self.roll_back.setToolTip(why_not)
        self.use.setText("Active in this project." if active else "")
        self.use.setVisible(active)

    def _show_won(self) -> None:
        self.clips_wished.emit(True)

    def _show_lost(self) -> None:
        self.clips_wished.emit(False)


HEADS = ("label", "clips", "active recall", "candidate", "change", "won", "lost")


def change_rows(found: ProofFound) -> list[tuple[Cell, ...]]:
    """The table: active against candidate, label by label; worse ones say so in words, too."""
    proof = found.proof
    return [] if proof is None else [_row(proof, change, found) for change in proof.changes]


def _row(proof: Proof, change: LabelChange, found: ProofFound) -> tuple[Cell, ...]:
    delta = change.candidate - change.active
    colour = "done" if delta > 0 else "trouble" if delta < 0 else ""
    worse = " worse" if change.worse else ""
    won, lost = (len(which.get(change.label, ())) for which in (found.won, found.lost))
    return (
        Cell(change.label, change.label.casefold()),
        Cell(f"{change.clips:,}", change.clips),
        Cell(f"{change.active * 100:.0f}", change.active),
        Cell(f"{change.candidate * 100:.0f}", change.candidate),
        Cell(f"{texts.signed(delta, digits=0)}{worse}", delta, colour),
        Cell(f"{won:,}", won),
        Cell(f"{lost:,}", lost),
    )
