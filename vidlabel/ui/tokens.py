"""Design tokens: every colour, size and type setting of the window, and what Qt makes of them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from string import Template

from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette

from vidlabel.core.resources import resources_root
from vidlabel.core.words import DECIDED_STATES, ClipState


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """One colour scheme, as ``#rrggbb``. Third-level text only ever stands on ``panel`` or ``ground``."""

    ground: str
    panel: str
    raised: str
    hover: str
    line: str
    line_strong: str
    text: str
    second: str
    third: str
    accent: str
    accent_hover: str
    on_accent: str
    selected: str
    done: str
    unsure: str
    trouble: str


DARK = Colours(
    ground="#14161a",
    panel="#1a1d22",
    raised="#22262d",
    hover="#2a2f37",
    line="#2d323a",
    line_strong="#5f6976",
    text="#e8eaed",
    second="#a2abb8",
    third="#7a8492",
    accent="#5ab0ff",
    accent_hover="#7cc1ff",
    on_accent="#0b1826",
    selected="#17324d",
    done="#54c58d",
    unsure="#e3a94b",
    trouble="#f2877f",
)
LIGHT = Colours(
    ground="#f4f5f7",
    panel="#ffffff",
    raised="#eef0f3",
    hover="#e4e7ec",
    line="#d9dde3",
    line_strong="#8a94a2",
    text="#1b1f26",
    second="#5d6673",
    third="#7d8795",
    accent="#0b6bcb",
    accent_hover="#0a5db1",
    on_accent="#ffffff",
    selected="#dbe9fb",
    done="#0a7d4f",
    unsure="#a15c00",
    trouble="#b3261e",
)

VIDEO_GROUND = "#000000"
"""What lies around a picture, in both schemes."""
VIDEO_TEXT = "#e8eaed"
GLOW = "#ffb000"
"""Saliency over a picture: amber, told from skin, grass and sky by most colour-blind people, too."""

GRID = 4
PANEL_MARGIN = 16
GAP = 8
RADIUS = 6
CONTROL = 32
"""Height of buttons and fields."""
ROW = 60
THUMBNAIL = (80, 45)
LIBRARY_WIDTH = 372
DECIDE_WIDTH = 320
CENTRE_MIN = 508
LINE = 26
"""A row of a plain list or table."""

FAMILY = "Inter"
BODY = 13
SECONDARY = 12
HEAD = 11


def current_colours() -> Colours:
    """The scheme the application is dressed in.

    A widget's own palette does not tell: style sheets write their backgrounds into it.
    """
    window = QGuiApplication.palette().color(QPalette.ColorRole.Window)
    return DARK if window.lightness() < 128 else LIGHT


def font(size: int = BODY, *, bold: bool = False, capitals: bool = False) -> QFont:
    """The program's family in a pixel size, with figures of equal width."""
    made = QFont(FAMILY)
    made.setPixelSize(size)
    made.setFeature(QFont.Tag("tnum"), 1)
    if bold:
        made.setWeight(QFont.Weight.DemiBold)
    if capitals:
        made.setCapitalization(QFont.Capitalization.AllUppercase)
        made.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.6)
    return made


def state_colour(colours: Colours, state: ClipState) -> str:
    """The colour of a state's mark; a shape and a word always stand beside it."""
    if state in DECIDED_STATES:
        return colours.done
    if state is ClipState.SUGGESTED:
        return colours.accent
    if state is ClipState.UNSURE:
        return colours.unsure
    if state in (ClipState.UNUSABLE, ClipState.MISSING, ClipState.UNREADABLE):
        return colours.trouble
    return colours.second


def make_palette(colours: Colours) -> QPalette:
    """The Qt palette of a scheme."""
    role = QPalette.ColorRole
    palette = QPalette()
    pairs = {
        role.Window: colours.ground,
        role.WindowText: colours.text,
        role.Base: colours.panel,
        role.AlternateBase: colours.raised,
        role.Text: colours.text,
        role.Button: colours.raised,
        role.ButtonText: colours.text,
        role.BrightText: colours.trouble,
        role.ToolTipBase: colours.raised,
        role.ToolTipText: colours.text,
        role.PlaceholderText: colours.second,
        role.Highlight: colours.accent,
        role.HighlightedText: colours.on_accent,
        role.Accent: colours.accent,
        role.Link: colours.accent,
        role.LinkVisited: colours.accent,
        role.Light: colours.hover,
        role.Midlight: colours.raised,
        role.Mid: colours.line,
        role.Dark: colours.line,
        role.Shadow: colours.ground,
    }
    for which, value in pairs.items():
        palette.setColor(which, QColor(value))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.third))
    return palette


_SHEET = Template("""
* { outline: none; }
QToolTip { background: $raised; color: $text; border: 1px solid $line_strong; padding: 4px 8px; }
QMainWindow, QDialog, #Ground { background: $ground; }
#Panel, #TopBar, QMenuBar { background: $panel; }
QMenuBar { border-bottom: 1px solid $line; padding: 0 4px; }
QMenuBar::item { background: transparent; color: $second; padding: 12px 10px; border-radius: 6px; }
QMenuBar::item:selected, QMenuBar::item:pressed { background: $raised; color: $text; }
QMenu { background: $raised; color: $text; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 28px 6px 24px; border-radius: 4px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { color: $third; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenu::indicator { left: 6px; width: 12px; height: 12px; }
QSplitter::handle { background: $line; }
QSplitter::handle:hover, QSplitter::handle:focus { background: $accent; }
QLabel { background: transparent; color: $text; }
QLabel[level="second"] { color: $second; }
QLabel[level="third"] { color: $third; }
QLabel[level="trouble"] { color: $trouble; }
QLabel[level="done"] { color: $done; }
QLineEdit, QComboBox, QPlainTextEdit, QAbstractSpinBox {
  background: $raised; color: $text; border: 1px solid $line; border-radius: 6px; padding: 5px 9px;
  min-height: 20px;
  selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:hover, QComboBox:hover, QAbstractSpinBox:hover { border-color: $line_strong; }
QLineEdit:focus, QComboBox:focus, QPlainTextEdit:focus, QAbstractSpinBox:focus { border: 1px solid $accent; }
QAbstractSpinBox { padding: 4px 0 3px 0; }
QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0; min-height: 0; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; border: none;
  width: 0px; height: 0px; }
QLineEdit QToolButton { background: transparent; border: none; padding: 0; min-height: 0; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url("$icons/chevron-$scheme.svg"); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $line;
  selection-background-color: $selected;
  selection-color: $text; }
QPushButton, QToolButton { background: $raised; color: $text; border: 1px solid $line; border-radius: 6px;
  padding: 5px 10px; min-height: 20px; }
QPushButton:hover, QToolButton:hover { background: $hover; border-color: $line_strong; }
QPushButton:pressed, QToolButton:pressed { background: $line; }
QPushButton:focus, QToolButton:focus { border: 1px solid $accent; }
QPushButton:disabled, QToolButton:disabled { color: $third; background: transparent; }
QPushButton:checked, QToolButton:checked { background: $selected; border-color: $accent; }
QPushButton[look="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent; }
QPushButton[look="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[look="primary"]:pressed { background: $accent; }
QPushButton[look="primary"]:focus { border: 2px solid $text; padding: 4px 9px; }
QPushButton[look="primary"]:disabled { background: $raised; color: $third; border-color: $line; }
QPushButton[look="tab"] { background: transparent; border: 1px solid transparent; color: $second; }
QPushButton[look="tab"]:hover { color: $text; background: $hover; }
QPushButton[look="tab"]:checked { background: $raised; color: $text; border-color: $raised; }
QPushButton[look="tab"]:focus { border: 1px solid $accent; }
QPushButton[look="quiet"] { background: transparent; border: 1px solid transparent;
  color: $second; padding: 5px 6px; }
QPushButton[look="quiet"]:hover { background: $hover; color: $text; }
QPushButton[look="quiet"]:focus { border: 1px solid $accent; }
QPushButton[look="quiet"]:checked { color: $accent; background: $selected; }
QPushButton[look="quiet"]:disabled { color: $third; }
QPushButton[look="chip"] { background: transparent; border: 1px solid $line; border-radius: 11px;
  padding: 1px 9px;
  min-height: 18px; color: $second; }
QPushButton[look="chip"]:hover { border-color: $line_strong; color: $text; }
QPushButton[look="chip"]:focus { border: 1px solid $accent; }
QPushButton[look="chip-on"] { background: $selected; border: 1px solid $selected; border-radius: 11px;
  padding: 1px 9px;
  min-height: 18px; color: $text; }
QPushButton[look="chip-on"]:hover { border-color: $line_strong; }
QPushButton[look="chip-on"]:focus { border: 1px solid $accent; }
QPushButton::menu-indicator, QToolButton::menu-indicator { image: none; width: 0; }
QListView, QTreeView, QTableView { background: $panel; border: none; color: $text; }
QListView#Boxed, QTreeView#Boxed, QTableView#Boxed { border: 1px solid $line; border-radius: 6px; }
QListView#Boxed::item { height: 26px; padding: 0 4px; border: none; }
QTreeView::item { padding: 0 4px; border: none; }
QListView#Boxed::item:selected, QTreeView::item:selected, QTableView::item:selected {
  background: $selected; color: $text; }
QTreeView:focus, QTableView:focus { border: 1px solid $accent; }
QHeaderView::section { background: $panel; color: $second; border: none; border-bottom: 1px solid $line;
  padding: 6px 4px; }
QScrollArea { background: transparent; border: none; }
QScrollArea#CardArea { border: 1px solid transparent; }
QScrollArea#CardArea:focus { border: 1px solid $accent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $line_strong; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $second; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSlider { background: transparent; min-height: 20px; }
QSlider::groove:horizontal { background: $line; height: 3px; border-radius: 1px; }
QSlider::sub-page:horizontal { background: $second; height: 3px; border-radius: 1px; }
QSlider::handle:horizontal { background: $second; width: 10px; height: 10px; margin: -4px 0;
  border-radius: 5px; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent; }
QCheckBox, QRadioButton { color: $text; spacing: 8px; padding: 3px; border: 1px solid transparent; border-radius: 4px; }
QCheckBox:focus, QRadioButton:focus { border: 1px solid $accent; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $line_strong; border-radius: 3px;
  background: $raised; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent;
  image: url("$icons/tick-$scheme.svg"); }
QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $line_strong; border-radius: 8px;
  background: $raised; }
QRadioButton::indicator:checked { border: 5px solid $accent; width: 6px; height: 6px; background: $on_accent; }
QTabWidget::pane { border: none; border-top: 1px solid $line; }
QTabBar::tab { background: transparent; color: $second; padding: 8px 14px;
  border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; }
QTabBar::tab:focus { color: $accent; }
#Popup { background: $raised; border: 1px solid $line_strong; border-radius: 8px; }
#Popup QListView { background: transparent; }
#Banner { background: $panel; border-bottom: 1px solid $line; }
#Status { background: $panel; border-top: 1px solid $line; }
#Hairline { background: $line; }
#Card { background: $panel; border: 1px solid $line; border-radius: 6px; }
""")


def make_sheet(colours: Colours) -> str:
    """The Qt style sheet of a scheme."""
    values = {field.name: getattr(colours, field.name) for field in fields(colours)}
    # A style sheet cannot colour an image, so these few come in both schemes.
    scheme = "dark" if colours is DARK else "light"
    return _SHEET.substitute(values, icons=(resources_root() / "icons").as_posix(), scheme=scheme)
