"""The dialogs of the window. Each is loaded when it is first wanted, and gives the keyboard back when it closes."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QWidget

from vidlabel.services.workbench import Workbench
from vidlabel.ui.actions import Actions


class Dialogs(QObject):
    """Opens what the actions ask for over the window."""

    closed = Signal()

    def __init__(self, workbench: Workbench, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._workbench = workbench
        self._window = window
        for action_id, slot in (
            ("program.keys", self._show_keys),
            ("project.labels", self._show_labels),
            ("project.proposals", self._show_proposals),
            ("program.export", self._show_export),
            ("program.settings", self._show_settings),
            ("program.about", self._show_about),
        ):
            actions.connect_to(action_id, slot)

    @Slot()
    def _show_keys(self) -> None:
        from vidlabel.ui.key_sheet import KeySheet

        self._open(KeySheet(self._workbench.keys, self._window))

    @Slot()
    def _show_settings(self) -> None:
        from vidlabel.ui.settings_dialog import SettingsDialog

        self._open(SettingsDialog(self._workbench.settings, self._workbench.keys, self._window))

    @Slot()
    def _show_labels(self) -> None:
        from vidlabel.ui.labels_dialog import LabelsDialog

        self._open(LabelsDialog(self._workbench.session, self._window))

    @Slot()
    def _show_proposals(self) -> None:
        from vidlabel.ui.proposals_dialog import ProposalsDialog

        self._open(ProposalsDialog(self._workbench.sweeping, self._window))

    @Slot()
    def _show_export(self) -> None:
        from vidlabel.ui.export_dialog import ExportDialog

        bench = self._workbench
        if bench.exporting.running:
            bench.notice.emit("An export is running; it can be stopped here.")
        elif bench.session.facts is not None:
            name = bench.session.facts.name
            self._open(ExportDialog(bench.exporting, bench.library, name=name, parent=self._window))

    @Slot()
    def _show_about(self) -> None:
        from vidlabel.ui.about import AboutDialog

        self._open(AboutDialog(self._workbench.background.device, self._window))

    def show(self, dialog: QDialog) -> None:
        """Opens a dialog that something else than an action asks for."""
        self._open(dialog)

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(self.closed)
        dialog.open()
