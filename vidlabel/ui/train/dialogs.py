"""What is asked around a run: whether a model that is worse for some labels is to be used, and what closing means."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.core.proof import Proof
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import Words, count
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.train.texts import worse_words


class Question(QDialog):
    """A few words and a row of buttons; the first is what Enter means."""

    def __init__(
        self, title: str, words: str, *, buttons: tuple[tuple[str, str], ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(460)
        self.answer = ""
        self.words = Words(words, level="second", wrap=True)
        self.buttons: dict[str, CapButton] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        layout.setSpacing(10)
        layout.addWidget(Words(title, bold=True, wrap=True))
        layout.addWidget(self.words)
        layout.addSpacing(8)
        row = QHBoxLayout()
        row.addStretch(1)
        for number, (answer, shown) in enumerate(buttons):
            button = CapButton(shown, look="" if number else "primary")
            button.setObjectName(answer)
            button.clicked.connect(self._answered)
            self.buttons[answer] = button
        for button in reversed(self.buttons.values()):
            row.addWidget(button)
        layout.addLayout(row)
        first = self.buttons[buttons[0][0]]
        first.setDefault(True)
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _answered(self) -> None:
        sender = self.sender()
        self.answer = sender.objectName() if sender is not None else ""
        self.accept()


class WorseDialog(Question):
    """Before a model that lost labels becomes active."""

    def __init__(self, proof: Proof, parent: QWidget | None = None) -> None:
        super().__init__(
            "Some labels got worse",
            f"{worse_words(proof)} On all test clips it is right on {proof.candidate.top1 or 0:.1%}, the active "
            f"one on {proof.active.top1 or 0:.1%}. You can go back later.",
            buttons=(("keep", "Keep the active model"), ("promote", "Promote all the same")),
            parent=parent,
        )


class Closing(Enum):
    """What becomes of a run when the window closes."""

    GO_ON = "go-on"
    STOP = "stop"


class ClosingDialog(Question):
    """While a run is at work: the person says what becomes of it."""

    decided = Signal(object)
    """:class:`Closing`; nothing where the window stays"""

    def __init__(self, runs: tuple[str, ...], parent: QWidget | None = None) -> None:
        what = f"{runs[0]} is training" if len(runs) == 1 else f"{count(len(runs), 'run')} are training"
        super().__init__(
            f"{what}. Close the window?",
            "It can go on without the window; the window finds it again when the project is opened. Stopped, it "
            "keeps a checkpoint and can go on from there. Everything you decided is saved either way.",
            buttons=(
                (Closing.GO_ON.value, "Close, let it go on"),
                (Closing.STOP.value, "Close and stop it"),
                ("stay", "Stay here"),
            ),
            parent=parent,
        )
        self.finished.connect(self._tell)

    def _tell(self) -> None:
        if self.answer in (Closing.GO_ON.value, Closing.STOP.value):
            self.decided.emit(Closing(self.answer))
