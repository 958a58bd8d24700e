"""The five numbered suggestions with bars and percentages."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from vidlabel.core.words import CalibrationState, LabelScore, Suggestion
from vidlabel.ui import tokens
from vidlabel.ui.parts.basics import percent, sentence
from vidlabel.ui.parts.keycap import CAP_HEIGHT, cap_width, draw_cap
from vidlabel.ui.tokens import current_colours, font

ROW_HEIGHT = 38
COUNT = 5
_OWN_FIGURES = "The model's own figures, not chances of being right."


def confidence_words(suggestion: Suggestion | None, state: CalibrationState | None) -> str:
    """What the percentages of a suggestion mean; '' where none are shown."""
    first = suggestion.scores[0] if suggestion is not None and suggestion.scores else None
    if suggestion is None or first is None:
        return ""
    about = state if state is not None and state.model == suggestion.model else None
    if first.calibrated is not None:
        return f"{sentence(about.words)}." if about is not None and about.calibration else "Calibrated."
    if about is None:
        return f"Not calibrated. {_OWN_FIGURES}"
    if about.calibration is not None:
        return f"Not calibrated yet on this clip; from the next one on. {_OWN_FIGURES}"
    return f"{sentence(about.words)}. {_OWN_FIGURES}"


class SuggestionRow(QAbstractButton):
    """One suggestion: its key, its label, its share. A click (or its key) takes it."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = number
        self._cap = str(number)
        self._score: LabelScore | None = None
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.show_score(None)

    @property
    def score(self) -> LabelScore | None:
        return self._score

    def show_score(self, score: LabelScore | None, about: str = "") -> None:
        """Shows a label and its share, with what that share means as tooltip; None leaves the row empty."""
        self._score = score
        self.setEnabled(score is not None)
        if score is None:
            self.setAccessibleName(f"Suggestion {self.number}: none")
            self.setToolTip("")
        else:
            own = "" if score.calibrated is None else f"The model's own: {percent(score.probability)}."
            self.setAccessibleName(f"Suggestion {self.number}: {score.label}, {percent(score.shown)}")
            self.setAccessibleDescription(" ".join(words for words in (own, about) if words))
            lines = (f"{score.label}: {percent(score.shown)}", own, about)
            self.setToolTip("\n".join(words for words in lines if words))
        self.update()

    def set_cap(self, cap: str) -> None:
        self._cap = cap
        self.update()

    # --- Qt ---
    def sizeHint(self) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours = current_colours()
        first = self.number == 1 and self._score is not None
        if first or (self.underMouse() and self.isEnabled()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.selected if first else colours.raised))
            painter.drawRoundedRect(QRectF(self.rect()), tokens.RADIUS, tokens.RADIUS)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), tokens.RADIUS, tokens.RADIUS
            )
        cap = QRectF(8, 6, max(24, cap_width(self._cap)), CAP_HEIGHT)
        if self._score is None:
            return
        draw_cap(painter, cap, self._cap, colours=colours)
        left = cap.right() + 8
        right = self.width() - 8.0
        share = percent(self._score.shown)
        figures = font(tokens.BODY)
        width = QFontMetricsF(figures).horizontalAdvance(share)
        painter.setFont(figures)
        painter.setPen(QColor(colours.text))
        painter.drawText(QPointF(right - width, 20), share)
        painter.setFont(font(tokens.BODY, bold=first))
        words = QFontMetricsF(painter.font()).elidedText(
            self._score.label, Qt.TextElideMode.ElideRight, right - width - 8 - left
        )
        painter.drawText(QPointF(left, 20), words)
        bar = QRectF(left, 29, right - left, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.line))
        painter.drawRoundedRect(bar, 1.5, 1.5)
        bar.setWidth(max(3.0, bar.width() * min(1.0, self._score.shown)))
        painter.setBrush(QColor(colours.accent))
        painter.drawRoundedRect(bar, 1.5, 1.5)


class SuggestionList(QWidget):
    """Five rows of one height, filled or not, so that nothing below them moves from clip to clip."""

    taken = Signal(int)
    """The number of a suggestion, from 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = tuple(SuggestionRow(number) for number in range(1, COUNT + 1))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for row in self.rows:
            row.clicked.connect(self._row_clicked)
            layout.addWidget(row)
        self.setFixedHeight(COUNT * ROW_HEIGHT)

    def show_suggestion(self, suggestion: Suggestion | None, about: str = "") -> None:
        """Fills the rows; None empties them. ``about`` says what the shares mean."""
        scores = suggestion.scores if suggestion is not None else ()
        for index, row in enumerate(self.rows):
            row.show_score(scores[index] if index < len(scores) else None, about)

    @Slot()
    def _row_clicked(self) -> None:
        row = self.sender()
        if isinstance(row, SuggestionRow):
            self.taken.emit(row.number)
