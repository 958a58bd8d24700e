"""Every control has a name for screen readers; every action is in a menu, on the sheet and in the palette."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QDialog,
    QKeySequenceEdit,
    QLineEdit,
    QScrollBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from vidlabel.services.keys import Keys
from vidlabel.services.settings import Settings
from vidlabel.ui.about import AboutDialog
from vidlabel.ui.actions import SPECS
from vidlabel.ui.key_sheet import KeySheet, sheet_lines
from vidlabel.ui.main_window import MainWindow
from vidlabel.ui.parts.keycap import KeyCap, cap_text
from vidlabel.ui.settings_dialog import KeysPage, SettingsDialog

CONTROLS = (QAbstractButton, QAbstractSlider, QLineEdit, QAbstractItemView, QComboBox, QKeySequenceEdit)


def nameless(root: QWidget) -> list[str]:
    """Controls of ours that a screen reader could not name."""
    found = []
    for widget in root.findChildren(QWidget):
        inner = isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_")
        above = widget.parentWidget()
        composed = isinstance(above, QComboBox | QKeySequenceEdit | QAbstractItemView) or (
            above is not None and isinstance(above.parentWidget(), QComboBox)
        )
        header = type(widget).__name__ in ("QHeaderView", "QComboBoxListView", "QComboBoxPrivateContainer")
        if not isinstance(widget, CONTROLS) or inner or composed or header:
            continue
        spoken = QAccessible.queryAccessibleInterface(widget)
        text = spoken.text(QAccessible.Text.Name) if spoken is not None else ""
        if not text.strip():
            found.append(f"{type(widget).__name__} in {type(widget.parentWidget()).__name__}")
    return found


def test_every_control_of_the_window_has_a_name(at_work: MainWindow) -> None:
    assert nameless(at_work) == []


@pytest.fixture
def keys(home: object, tmp_path: object, qapp: object) -> Keys:
    from vidlabel.core.paths import settings_file

    return Keys(Settings(settings_file()), language="en")


@pytest.mark.parametrize("dialog", ["settings", "keys", "about"])
def test_every_control_of_the_dialogs_has_a_name(qtbot: QtBot, keys: Keys, dialog: str) -> None:
    from vidlabel.core.paths import settings_file

    made: QDialog = {
        "settings": lambda: SettingsDialog(Settings(settings_file()), keys),
        "keys": lambda: KeySheet(keys),
        "about": lambda: AboutDialog(""),
    }[dialog]()
    qtbot.addWidget(made)
    made.show()
    assert nameless(made) == []


def test_rows_speak_name_state_and_label(qtbot: QtBot, at_work: MainWindow) -> None:
    model = at_work.library.view.model()
    role = int(Qt.ItemDataRole.AccessibleTextRole)
    first = at_work.workbench.library.row(0)
    assert first is not None
    text = model.data(model.index(0, 0), role)
    assert first.name in text
    assert "suggested" in text
    assert str(first.suggested) in text
    assert "0:02" in text


def test_every_action_is_in_a_menu_and_has_words(window: MainWindow) -> None:
    in_menus = {action.objectName() for menu in window.top_bar.actions() for action in menu.menu().actions()}
    assert in_menus >= {spec.id for spec in SPECS}
    assert all(action.text() for action in window.actions_table.all())


def test_the_sheet_lists_every_action_with_a_key(qtbot: QtBot, keys: Keys) -> None:
    sheet = KeySheet(keys)
    qtbot.addWidget(sheet)
    shown = {cap for widget in sheet.findChildren(KeyCap) for cap in widget.accessibleName().split(" or ")}
    listed = {words for lines in sheet_lines(keys).values() for words, _caps in lines}
    known = {spec.id for spec in SPECS}
    for action in keys.actions():
        if action.id in known:
            assert action.words in listed
            assert cap_text(keys.sequences(action.id)[0]) in shown


def test_the_palette_finds_and_starts_an_action(qtbot: QtBot, at_work: MainWindow) -> None:
    qtbot.keyClick(at_work.player.view, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    sheet = at_work.palette_sheet
    assert sheet.isVisible()
    assert sheet.field.hasFocus()
    qtbot.keyClicks(sheet.field, "blind")
    assert sheet.shown[0].startswith("Blind mode")
    qtbot.keyClick(sheet.field, Qt.Key.Key_Return)
    assert at_work.workbench.deciding.blind
    assert not sheet.isVisible()
    assert at_work.player.view.hasFocus()


def test_escape_closes_the_palette(qtbot: QtBot, at_work: MainWindow) -> None:
    at_work.palette_sheet.open()
    qtbot.keyClick(at_work.palette_sheet.field, Qt.Key.Key_Escape)
    assert not at_work.palette_sheet.isVisible()
    assert at_work.player.view.hasFocus()


def test_a_taken_key_is_refused_with_the_name_of_its_owner(qtbot: QtBot, keys: Keys) -> None:
    page = KeysPage(keys)
    qtbot.addWidget(page)
    page.tree.setCurrentItem(page.tree.findItems("Unsure", Qt.MatchFlag.MatchExactly)[0])
    page.edit.setKeySequence("S")
    page.give.click()
    assert "Skip" in page.words.text()
    assert keys.sequences("decide.unsure") == ("U",)
    page.edit.setKeySequence("K")
    page.give.click()
    assert keys.sequences("decide.unsure") == ("K",)
