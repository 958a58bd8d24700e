"""The settings: who decides, colours, what goes on by itself, and the keys."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QSpinBox,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from vidlabel.core.words import MOST_VIEWS, ONE_VIEW, Views
from vidlabel.services.keys import Keys
from vidlabel.services.settings import Settings
from vidlabel.ui import tokens
from vidlabel.ui.actions import SPECS
from vidlabel.ui.parts.basics import Words, as_number_field
from vidlabel.ui.parts.keycap import CapButton, cap_text
from vidlabel.ui.theme import CHOICES

ID_ROLE = int(Qt.ItemDataRole.UserRole)
_DEVICES = (("auto", "Chosen by itself"), ("cpu", "CPU"), ("cuda", "CUDA GPU"), ("mps", "Apple GPU"))


class SettingsDialog(QDialog):
    """Every change acts at once and is kept."""

    def __init__(self, settings: Settings, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.resize(560, 580)
        self._settings = settings
        tabs = QTabWidget()
        tabs.addTab(self._general(), "General")
        tabs.addTab(KeysPage(keys), "Keys")
        done = CapButton("Close", look="primary")
        done.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(Words("Changes act at once.", level="third", size=tokens.SECONDARY))
        row.addStretch(1)
        row.addWidget(done)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*([tokens.PANEL_MARGIN] * 4))
        layout.addWidget(tabs, 1)
        layout.addLayout(row)

    def _general(self) -> QWidget:
        page = QWidget()
        self.annotator = QLineEdit(self._settings.annotator)
        self.annotator.setAccessibleName("Annotator")
        self.annotator.editingFinished.connect(self._annotator_edited)
        self.theme = QComboBox()
        self.theme.setAccessibleName("Colours")
        for choice, words in zip(CHOICES, ("As the system", "Dark", "Light"), strict=True):
            self.theme.addItem(words, choice)
        self.theme.setCurrentIndex(self.theme.findData(self._settings.theme))
        self.theme.currentIndexChanged.connect(self._theme_chosen)
        self.device = QComboBox()
        self.device.setAccessibleName("Device for suggestions")
        for value, words in _DEVICES:
            self.device.addItem(words, value)
        self.device.setCurrentIndex(max(0, self.device.findData(self._settings.device)))
        self.device.currentIndexChanged.connect(self._device_chosen)
        self.views = QSpinBox()
        self.views.setAccessibleName("Looks at each clip")
        self.views.setRange(1, MOST_VIEWS)
        self.views.setSuffix(" times")
        as_number_field(self.views)
        self.views.setToolTip("Up and Down change it")
        self.views.setSpecialValueText("once")
        # Each change loads the model anew: not for every digit on the way.
        self.views.setKeyboardTracking(False)
        self.views.setValue(self._settings.views.clips)
        self.views.valueChanged.connect(self._views_chosen)
        self.flip = QCheckBox("Look at each clip mirrored as well")
        self.flip.setChecked(self._settings.views.flip)
        self.flip.toggled.connect(self._views_chosen)
        self.views_cost = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self._say_cost()
        self._settings.changed.connect(self._setting_changed)
        self.scan = QCheckBox("Look for new videos when a project opens")
        self.scan.setChecked(self._settings.scan_by_itself)
        self.scan.toggled.connect(self._scan_toggled)
        self.suggest = QCheckBox("Suggest labels in the background")
        self.suggest.setChecked(self._settings.suggest_by_itself)
        self.suggest.toggled.connect(self._suggest_toggled)
        self.sweep = QCheckBox("Look for clips in long videos when suggestions are done")
        self.sweep.setChecked(self._settings.sweep_by_itself)
        self.sweep.toggled.connect(self._sweep_toggled)
        form = QFormLayout(page)
        form.setContentsMargins(4, 16, 4, 8)
        form.setVerticalSpacing(12)
        form.setHorizontalSpacing(16)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        hints = {
            "Annotator": "Decisions carry this name.",
            "Suggest on": "Another device acts from the next project on.",
        }
        for words, field in (
            ("Annotator", self.annotator),
            ("Colours", self.theme),
            ("Suggest on", self.device),
            ("Look at a clip", self.views),
        ):
            label = Words(words, level="second")
            # As high as its field: the two stand on one line.
            label.setMinimumHeight(tokens.CONTROL)
            form.addRow(label, field)
            if words in hints:
                form.addRow("", Words(hints[words], level="second", size=tokens.SECONDARY))
        form.addRow("", self.flip)
        form.addRow("", self.views_cost)
        form.addRow("", self.scan)
        form.addRow("", self.suggest)
        form.addRow("", self.sweep)
        return page

    @Slot()
    def _annotator_edited(self) -> None:
        self._settings.annotator = self.annotator.text()
        self.annotator.setText(self._settings.annotator)

    @Slot()
    def _theme_chosen(self) -> None:
        self._settings.theme = str(self.theme.currentData())

    @Slot()
    def _device_chosen(self) -> None:
        self._settings.device = str(self.device.currentData())

    @Slot()
    def _views_chosen(self) -> None:
        self._settings.views = Views(clips=self.views.value(), flip=self.flip.isChecked())
        self._say_cost()

    @Slot(str)
    def _setting_changed(self, name: str) -> None:
        if name == "views_cost":
            self._say_cost()

    def _say_cost(self) -> None:
        self.views_cost.setText(
            cost_words(self._settings.views, self._settings.views_cost(self._settings.views))
        )

    @Slot(bool)
    def _scan_toggled(self, on: bool) -> None:
        self._settings.scan_by_itself = on

    @Slot(bool)
    def _suggest_toggled(self, on: bool) -> None:
        self._settings.suggest_by_itself = on

    @Slot(bool)
    def _sweep_toggled(self, on: bool) -> None:
        self._settings.sweep_by_itself = on


def cost_words(views: Views, measured: float | None) -> str:
    """What looking so often costs, for a person; ``measured`` is how many times the time of one look, if known."""
    if views == ONE_VIEW:
        return "More looks, averaged, are somewhat surer, and each costs time."
    if measured is not None:
        return f"Measured here: {measured:.1f} times the time of one look. Suggestions of each way are kept."
    return f"About {views.count} times the work of one look; measured when suggestions are made."


class KeysPage(QWidget):
    """Gives an action another key, and says which action has it already."""

    def __init__(self, keys: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys = keys
        self.tree = QTreeWidget()
        self.tree.setObjectName("Boxed")
        self.tree.setAccessibleName("Actions and their keys")
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setHeaderLabels(["Action", "Keys"])
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName("New key")
        self.give = CapButton("Give this key")
        self.reset = CapButton("Shipped keys", name="Give the action its shipped keys back")
        self.reset_all = CapButton(
            "All shipped keys", look="quiet", name="Give all actions their shipped keys back"
        )
        self.words = Words(level="second", size=tokens.SECONDARY, wrap=True)
        self.words.setMinimumHeight(32)
        row = QHBoxLayout()
        for widget in (self.edit, self.give, self.reset, self.reset_all):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 16, 4, 8)
        layout.addWidget(self.tree, 1)
        layout.addLayout(row)
        layout.addWidget(self.words)
        self.tree.currentItemChanged.connect(self._chosen)
        self.give.clicked.connect(self._give)
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._reset_all)
        self._fill()
        keys.changed.connect(self._fill)

    @property
    def _action_id(self) -> str:
        item = self.tree.currentItem()
        return "" if item is None else str(item.data(0, ID_ROLE))

    @Slot()
    def _fill(self) -> None:
        chosen = self._action_id
        self.tree.clear()
        known = {spec.id for spec in SPECS}
        for action in self._keys.actions():
            if action.id not in known:
                continue
            caps = dict.fromkeys(cap_text(sequence) for sequence in self._keys.sequences(action.id))
            item = QTreeWidgetItem([action.words, "  or  ".join(caps)])
            item.setData(0, ID_ROLE, action.id)
            item.setSizeHint(0, QSize(0, tokens.LINE))
            self.tree.addTopLevelItem(item)
            if action.id == chosen:
                self.tree.setCurrentItem(item)
        first = self.tree.topLevelItem(0)
        if self.tree.currentItem() is None and first is not None:
            self.tree.setCurrentItem(first)
        self.tree.resizeColumnToContents(1)

    @Slot()
    def _chosen(self) -> None:
        self.edit.clear()
        self.words.setText("")

    def _say(self, taken: list[str], done: str) -> None:
        names = ", ".join(f"“{self._keys.action(other).words}”" for other in taken)
        self.words.set_level("trouble" if taken else "second")
        self.words.setText(f"Taken by {names}. Give that action another key first." if taken else done)

    @Slot()
    def _give(self) -> None:
        sequence = self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        if not sequence or not self._action_id:
            self.words.set_level("second")
            self.words.setText("Press a key in the field first.")
            return
        action_id = self._action_id
        taken = self._keys.remap(action_id, [sequence])
        self._say(taken, f"“{self._keys.action(action_id).words}” now has {cap_text(sequence)}.")

    @Slot()
    def _reset(self) -> None:
        if self._action_id:
            taken = self._keys.reset(self._action_id)
            self._say(taken, "The shipped keys are back.")

    @Slot()
    def _reset_all(self) -> None:
        self._keys.reset()
        self._say([], "All shipped keys are back.")
