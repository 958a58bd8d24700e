"""The left column: filter, progress, clips."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from vidlabel.core.words import ChosenClips, ClipQuery, Counts, QueueOrder
from vidlabel.services.library import Library
from vidlabel.services.project import ProjectFacts, ProjectSession
from vidlabel.services.settings import Settings
from vidlabel.ui import tokens
from vidlabel.ui.library.counts import CountsDialog, CountsLine
from vidlabel.ui.library.filters import FilterBar
from vidlabel.ui.library.view import ClipView
from vidlabel.ui.parts.basics import Hairline, Words
from vidlabel.ui.parts.keycap import CapButton


class LibraryPanel(QWidget):
    """Builds the column and joins it to the library service."""

    left = Signal()
    """The person wants to be back at the player."""

    def __init__(
        self, library: Library, session: ProjectSession, *, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("Panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(240)
        self.setAccessibleName("Library")
        self._library = library
        self._session = session
        self._settings = settings
        self.filters = FilterBar()
        self.counts = CountsLine()
        self.view = ClipView(library)
        self._nothing = Words("", level="second", wrap=True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.clear_filter = CapButton("Clear the filter")
        self._stack = QStackedWidget()
        self._build()
        self.filters.query_changed.connect(self._query_changed)
        self.filters.order_chosen.connect(self.choose_order)
        self.filters.left.connect(self.left)
        self.counts.per_label_wished.connect(self.show_counts)
        self.clear_filter.clicked.connect(self.filters.clear)
        library.reset.connect(self._show_what_there_is)
        session.counts_changed.connect(self._counts_changed)
        session.labels_changed.connect(self.filters.set_labels)

    def _build(self) -> None:
        head = QWidget()
        inner = QVBoxLayout(head)
        inner.setContentsMargins(12, 12, 12, 12)
        inner.setSpacing(tokens.GAP)
        inner.addWidget(self.filters)
        inner.addWidget(self.counts)
        empty = QWidget()
        middle = QVBoxLayout(empty)
        middle.addStretch(1)
        middle.addWidget(self._nothing)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.clear_filter)
        row.addStretch(1)
        middle.addLayout(row)
        middle.addStretch(2)
        self._stack.addWidget(self.view)
        self._stack.addWidget(empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(Hairline())
        layout.addWidget(self._stack, 1)

    def project_opened(self, facts: ProjectFacts) -> None:
        """Shows another project's library: no filter, the order last used."""
        order = self._settings.queue_order
        self.filters.set_labels(facts.labels)
        self.filters.restore(order)
        self._counts_changed(facts.counts)

    def set_filter_caps(self, caps: tuple[str, ...]) -> None:
        """The key that leads into the filter field, shown in it."""
        self.filters.field.set_caps(caps)

    def focus_filter(self) -> None:
        """Puts the cursor into the filter field."""
        self.filters.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.field.selectAll()

    @Slot(str)
    def choose_order(self, order: str) -> None:
        """Sorts the queue in another order, now and in future."""
        self.filters.set_order(QueueOrder(order))

    @Slot()
    def show_counts(self) -> None:
        """Opens the clips per label."""
        dialog = CountsDialog(self._session.labels, self._session.counts, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.label_chosen.connect(self.filter_label)
        dialog.open()

    @Slot(str)
    def filter_label(self, label: str) -> None:
        """Shows the clips of one label."""
        quoted = f'"{label}"' if " " in label or "," in label else label
        self.filters.field.setText(f"label:{quoted}")

    def show_clips(self, clip_ids: tuple[int, ...], words: str) -> None:
        """Shows these clips and no others, the first of them current; see :class:`ChosenClips` for the words."""
        self.filters.choose(ChosenClips(words=words, ids=clip_ids))

    @Slot(object)
    def _query_changed(self, query: ClipQuery) -> None:
        self._library.set_query(query)

    @Slot(object)
    def _counts_changed(self, counts: Counts) -> None:
        self.counts.set_counts(counts)
        self.filters.set_counts(counts)
        self._show_what_there_is()

    @Slot()
    def _show_what_there_is(self) -> None:
        if len(self._library) or not self._session.is_open:
            self._stack.setCurrentIndex(0)
            return
        filtered = not self.filters.is_empty
        self.clear_filter.setVisible(filtered)
        self._nothing.setText("No clip matches the filter." if filtered else "No clips yet.")
        self._stack.setCurrentIndex(1)
