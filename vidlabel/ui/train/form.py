"""The set-up of a run: what to start from, from which clips, what learns, how clips are dealt, and more on demand."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from vidlabel.core.errors import FilterError
from vidlabel.core.filters import parse
from vidlabel.core.runs import TrainSettings, Tunes
from vidlabel.services.models import ModelEntry
from vidlabel.services.run_planning import Wanted
from vidlabel.ui import tokens
from vidlabel.ui.library.filters import HintedField
from vidlabel.ui.parts.basics import SectionHead, Words
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.train.fields import add_row, choice_field, form_layout, number_field
from vidlabel.ui.train.more_settings import MoreSettings

SETTLE_MS = 350
"""A plan is asked for once the person has stopped changing things for so long."""
_TUNES = (
    ("The head only", Tunes.HEAD),
    ("The head and the last two stages", Tunes.LAST),
    ("Everything", Tunes.ALL),
)
_SPLITS = (("By source", "by-source"), ("At random", "random"), ("As published", "official"))


class SetupForm(QWidget):
    """Tells what is wanted whenever the person has changed it."""

    changed = Signal(object)
    """:class:`Wanted`"""
    left = Signal()
    """Esc in the filter: the person is done there."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.base = choice_field("Start from", ())
        self.filter = HintedField("All decided: label:wave folder:day1 …", name="Which clips, as a filter")
        self.filter_trouble = Words(level="trouble", size=tokens.SECONDARY, wrap=True)
        self.tunes = choice_field("Which weights learn", _TUNES)
        self.split = choice_field("How clips are dealt to the parts", _SPLITS[:2])
        self.epochs = number_field("Epochs, at most", 10_000)
        self.epochs.setMinimum(1)
        self.epochs.setValue(TrainSettings().epochs)
        self.more_button = CapButton("More settings", look="quiet", name="Show more settings")
        self.more_button.setCheckable(True)
        self.more = MoreSettings()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._tell)
        self._build()
        self._wire()

    def _build(self) -> None:
        down = QVBoxLayout(self)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(8)
        down.addWidget(SectionHead("New run"))
        form = form_layout()
        add_row(form, "Start from", self.base)
        add_row(form, "Clips", self.filter)
        form.addRow(self.filter_trouble)
        for words, field in (("Learns", self.tunes), ("Split", self.split), ("Epochs", self.epochs)):
            add_row(form, words, field)
        down.addLayout(form)
        down.addWidget(self.more_button, 0, Qt.AlignmentFlag.AlignLeft)
        down.addWidget(self.more)
        self.filter_trouble.hide()
        self.more.hide()

    def _wire(self) -> None:
        for combo in (self.base, self.tunes, self.split):
            combo.currentIndexChanged.connect(self._settle.start)
        self.epochs.valueChanged.connect(self._settle.start)
        self.more.changed.connect(self._settle.start)
        self.filter.textChanged.connect(self._filter_changed)
        self.filter.returnPressed.connect(self._tell)
        self.filter.left.connect(self.left)
        self.more_button.toggled.connect(self._show_more)

    @property
    def wanted(self) -> Wanted:
        """What the fields say."""
        settings = TrainSettings(
            base=self.base.currentData() or "bundled", tunes=Tunes(self.tunes.currentData()),
            epochs=int(self.epochs.value()), **self.more.values,
        )  # fmt: skip
        return Wanted(
            settings=settings, split=self.split.currentData(), sources=self.more.sources.currentData(),
            expression=self.filter.text().strip(), new_test=self.more.new_test.isChecked(),
        )  # fmt: skip

    def show_models(self, entries: tuple[ModelEntry, ...]) -> None:
        """The models that one can start from: those on this computer."""
        usable = [(entry.facts.name, "bundled" if entry.facts.bundled else entry.facts.hash)
                  for entry in entries if entry.facts.hash]  # fmt: skip
        known = [(self.base.itemText(at), self.base.itemData(at)) for at in range(self.base.count())]
        if usable != known:
            chosen = self.base.currentData()
            self.base.blockSignals(True)
            self.base.clear()
            for words, value in usable:
                self.base.addItem(words, value)
            self.base.setCurrentIndex(max(0, self.base.findData(chosen)))
            self.base.blockSignals(False)

    def show_official(self, known: bool) -> None:
        """Whether the project knows a split that came with its labels."""
        has = self.split.count() == len(_SPLITS)
        if known and not has:
            self.split.addItem(*_SPLITS[-1])
        elif has and not known:
            self.split.removeItem(len(_SPLITS) - 1)

    def keep_test(self) -> None:
        """A new test was dealt: the next run keeps it, unless that is wished again."""
        if self.more.new_test.isChecked():
            self.more.new_test.blockSignals(True)
            self.more.new_test.setChecked(False)
            self.more.new_test.blockSignals(False)
            self.more.costs.hide()

    def forget(self) -> None:
        """What was to be told is not told any more."""
        self._settle.stop()

    @Slot(bool)
    def _show_more(self, shown: bool) -> None:
        self.more.build()
        self.more.setVisible(shown)
        self.more_button.set_words(
            "Fewer settings" if shown else "More settings",
            name="Hide the settings few change" if shown else "Show more settings",
        )

    @Slot()
    def _filter_changed(self) -> None:
        self.filter_trouble.hide()
        self._settle.start()

    @Slot()
    def _tell(self) -> None:
        self._settle.stop()
        try:
            parse(self.filter.text())
        except FilterError as error:
            self.filter_trouble.setText(str(error))
            self.filter_trouble.show()
        self.changed.emit(self.wanted)
