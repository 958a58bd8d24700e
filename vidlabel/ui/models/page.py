"""The models page: the list at the left, the card of the chosen model at the right, and their wishes joined."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QHideEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from vidlabel.services.model_survey import InProject
from vidlabel.services.models import ModelEntry, Models, Presence
from vidlabel.ui import tokens
from vidlabel.ui.actions import Actions
from vidlabel.ui.models.card import CardView
from vidlabel.ui.models.dialogs import OPEN_FILTER, ExportModelDialog, RemoveModelDialog
from vidlabel.ui.models.list import ModelList
from vidlabel.ui.parts.basics import Chip, SectionHead, Words, sentence
from vidlabel.ui.parts.keycap import CapButton
from vidlabel.ui.parts.message import MessagePage

LIST_WIDTH = 372


class Notice(QWidget):
    """A line over the list for what concerns no single model: a failed import, offline mode, a proxy."""

    def __init__(self) -> None:
        super().__init__()
        self.words = Words(size=tokens.SECONDARY, wrap=True)
        self.close_chip = Chip("Close", name="Close the message")
        self.close_chip.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 12, 8)
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        row.addWidget(self.close_chip, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def say(self, words: str, *, level: str) -> None:
        """Shows words; '' hides the line. Trouble stays until it is closed."""
        self.words.set_level(level)
        self.words.setText(sentence(words))
        self.setAccessibleName(words)
        self.close_chip.setVisible(level == "trouble")
        self.setVisible(bool(words))


class ModelsPage(QWidget):
    """Everything acts on the model that is chosen in the list."""

    def __init__(self, models: Models, *, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("Ground")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Models page")
        self._models = models
        self._actions = actions
        self._watched = ""
        self.list = ModelList()
        self.card = CardView()
        self.trouble = Notice()
        self.network = Notice()
        self.import_button = CapButton("Import…", name="Import a model file")
        self.folder_button = CapButton("Open folder", look="quiet", name="Open the folder of models")
        self.message = MessagePage()
        self._build()
        self._wire()
        self._entries_changed()

    def _build(self) -> None:
        left = QWidget()
        left.setObjectName("Panel")
        left.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        left.setFixedWidth(LIST_WIDTH)
        down = QVBoxLayout(left)
        down.setContentsMargins(0, 0, 0, 0)
        down.setSpacing(0)
        head = QHBoxLayout()
        head.setContentsMargins(16, 10, 12, 6)
        head.addWidget(SectionHead("Models"))
        head.addStretch(1)
        head.addWidget(self.folder_button)
        head.addWidget(self.import_button)
        down.addLayout(head)
        for widget, stretch in ((self.trouble, 0), (self.network, 0), (self.list, 1)):
            down.addWidget(widget, stretch)
        line = QFrame()
        line.setObjectName("Hairline")
        line.setFixedWidth(1)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(left)
        across.addWidget(line)
        across.addWidget(self.card, 1)
        across.addWidget(self.message, 1)
        self.message.say("Looking which models there are …")

    def _wire(self) -> None:
        models, head = self._models, self.card.head
        models.changed.connect(self._entries_changed)
        models.progressed.connect(self._progressed)
        models.arrived.connect(self.list.choose)
        models.failed.connect(self._say_trouble)
        models.project_told.connect(self._project_told)
        self.list.chosen.connect(self._chosen)
        self.list.entered.connect(self._do_primary)
        self.list.remove_wished.connect(self._remove)
        head.primary_wished.connect(self._do_primary)
        head.cancel_wished.connect(self._cancel)
        head.export_wished.connect(self._export)
        head.remove_wished.connect(self._remove)
        self.import_button.clicked.connect(self._import)
        self.folder_button.clicked.connect(self._open_folder)
        for action_id, slot in (
            ("models.use", self._do_primary),
            ("models.install", self._do_primary),
            ("models.cancel", self._cancel),
            ("models.import", self._import),
            ("models.export", self._export),
            ("models.remove", self._remove),
            ("models.folder", self._open_folder),
            ("models.look", models.look),
        ):
            self._actions.connect_to(action_id, slot)

    @property
    def entry(self) -> ModelEntry | None:
        """The chosen model."""
        return self._models.entry(self.list.key)

    def focus_list(self) -> None:
        """Gives the keyboard to the list."""
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- showing ---------------------------------------------------------------------------------
    @Slot()
    def _entries_changed(self) -> None:
        self.list.show_entries(self._models.entries)
        self._show_network()
        self._show_card()

    @Slot(str)
    def _progressed(self, key: str) -> None:
        if key == self.list.key:
            self._show_card()

    @Slot(str)
    def _chosen(self, _key: str) -> None:
        self._show_card()

    def _show_card(self) -> None:
        entry = self.entry
        self.card.setVisible(entry is not None)
        self.message.setVisible(entry is None)
        if entry is not None:
            models = self._models
            self.card.show_entry(entry, why_not=models.why_not_here, offline=models.offline)
        elif self._models.known:
            self.message.say(
                "No models", "Not even the bundled one: the installation is damaged. Install vidlabel again.",
                icon="trouble", trouble=True,
            )  # fmt: skip
        self._show_actions(entry)
        self._watch(entry)

    def _show_actions(self, entry: ModelEntry | None) -> None:
        if not self.isVisible():
            return
        head = self.card.head
        shown = entry is not None
        available = entry is not None and entry.presence is Presence.AVAILABLE
        can = head.primary.isEnabled() and not head.primary.isHidden()
        for action_id, able in (
            ("models.use", shown and not available and can),
            ("models.install", available and can),
            ("models.cancel", shown and not head.cancel.isHidden()),
            ("models.export", shown and not head.export.isHidden() and head.export.isEnabled()),
            ("models.remove", shown and not head.remove.isHidden() and head.remove.isEnabled()),
        ):
            self._actions[action_id].setEnabled(able)

    def _show_network(self) -> None:
        models = self._models
        if models.trouble:
            self.network.say(models.trouble, level="trouble")
        elif models.offline:
            self.network.say(f"Offline mode: on by {models.offline}. Nothing is downloaded.", level="second")
        else:
            self.network.say(models.proxy_words, level="second")

    @Slot(object)
    def _project_told(self, found: InProject) -> None:
        entry = self.entry
        if entry is not None and entry.facts.hash == found.model:
            self.card.show_in_project(found)

    @Slot(str)
    def _say_trouble(self, words: str) -> None:
        self.trouble.say(words, level="trouble")

    def _watch(self, entry: ModelEntry | None) -> None:
        """Asks what the project has of the model, also when it was only just installed."""
        wanted = entry.facts.hash if entry is not None and self.isVisible() else ""
        if wanted != self._watched:
            self._watched = wanted
            self.card.show_in_project(None)
            self._models.watch(wanted)

    # --- wishes ----------------------------------------------------------------------------------
    @Slot()
    def _do_primary(self) -> None:
        head, entry = self.card.head, self.entry
        if entry is None or head.primary.isHidden() or not head.primary.isEnabled():
            return
        if entry.presence is Presence.AVAILABLE:
            self._models.install(entry.key)
        else:
            self._models.use(entry.key)

    @Slot()
    def _cancel(self) -> None:
        self._models.cancel(self.list.key)

    @Slot()
    def _import(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Import a model", "", OPEN_FILTER)
        if chosen:
            self.trouble.hide()
            self._models.import_file(Path(chosen))

    @Slot()
    def _export(self) -> None:
        entry = self.entry
        if entry is not None and entry.facts.hash and entry.job is None:
            dialog = ExportModelDialog(entry, self)
            dialog.chosen.connect(self._export_to)
            self._open(dialog)

    @Slot(Path, str)
    def _export_to(self, out: Path, kind: str) -> None:
        self._models.export(self.list.key, out, kind)

    @Slot()
    def _remove(self) -> None:
        entry = self.entry
        if entry is not None and entry.removable and entry.job is None:
            dialog = RemoveModelDialog(entry, self)
            dialog.accepted.connect(self._remove_now)
            self._open(dialog)

    @Slot()
    def _remove_now(self) -> None:
        self._models.remove(self.list.key)

    @Slot()
    def _open_folder(self) -> None:
        folder = self._models.folder()
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self._say_trouble(f"No program opens folders here. The models lie in {folder}.")

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self.focus_list)
        dialog.open()

    # --- Qt ---
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._models.look()
        self._show_card()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._watch(None)
