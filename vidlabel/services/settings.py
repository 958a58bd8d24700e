"""What the person chose once and finds again: an INI file in their data folder."""

from __future__ import annotations

import getpass
import json
from functools import cache
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

from vidlabel.core.sweeps import LONG_S
from vidlabel.core.words import ONE_VIEW, QueueOrder, Views

RECENT_PROJECTS = 10


@cache
def system_user() -> str:
    """The system's name for the person, or 'person' where it has none."""
    try:
        return getpass.getuser() or "person"
    except (KeyError, OSError, ImportError):
        return "person"


class Settings(QObject):
    """Typed access to the settings file. Assigning a property stores it and tells ``changed(name)``."""

    changed = Signal(str)

    def __init__(self, file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        file.parent.mkdir(parents=True, exist_ok=True)
        self._ini = QSettings(str(file), QSettings.Format.IniFormat)

    @property
    def theme(self) -> str:
        """``system``, ``light`` or ``dark``."""
        value = str(self._ini.value("window/theme", "system"))
        return value if value in {"system", "light", "dark"} else "system"

    @theme.setter
    def theme(self, value: str) -> None:
        self._set("theme", "window/theme", value)

    @property
    def grid(self) -> bool:
        """Whether the library shows pictures instead of rows."""
        return self._flag("window/grid", default=False)

    @grid.setter
    def grid(self, value: bool) -> None:
        self._set("grid", "window/grid", value)

    @property
    def reduce_motion(self) -> bool:
        """Whether tiles stand still instead of looping."""
        return self._flag("window/reduce_motion", default=False)

    @reduce_motion.setter
    def reduce_motion(self, value: bool) -> None:
        self._set("reduce_motion", "window/reduce_motion", value)

    @property
    def review_across(self) -> int:
        """How many tiles stand side by side on the review page."""
        return min(max(self._number("review/across", 7), 2), 12)

    @review_across.setter
    def review_across(self, value: int) -> None:
        self._set("review_across", "review/across", value)

    @property
    def review_least(self) -> float:
        """The least confidence of the suggestions that are reviewed, 0 to 1."""
        return min(max(self._number("review/least", 60), 0), 99) / 100

    @review_least.setter
    def review_least(self, value: float) -> None:
        self._set("review_least", "review/least", round(value * 100))

    @property
    def review_clicked(self) -> str:
        """What becomes of a suggested clip that was clicked: ``leave`` (undecided), ``skip`` or ``unsure``."""
        value = str(self._ini.value("review/clicked", "leave"))
        return value if value in {"leave", "skip", "unsure"} else "leave"

    @review_clicked.setter
    def review_clicked(self, value: str) -> None:
        self._set("review_clicked", "review/clicked", value)

    @property
    def annotator(self) -> str:
        """Who decides; the system's user until another name is set."""
        return str(self._ini.value("person/annotator", "")).strip() or system_user()

    @annotator.setter
    def annotator(self, value: str) -> None:
        self._set("annotator", "person/annotator", value.strip())

    @property
    def queue_order(self) -> QueueOrder:
        """How the queue is sorted."""
        try:
            return QueueOrder(str(self._ini.value("queue/order", QueueOrder.LEAST_SURE.value)))
        except ValueError:
            return QueueOrder.LEAST_SURE

    @queue_order.setter
    def queue_order(self, value: QueueOrder) -> None:
        self._set("queue_order", "queue/order", QueueOrder(value).value)

    @property
    def volume(self) -> float:
        """0 to 1."""
        try:
            return min(max(float(str(self._ini.value("sound/volume", 0.8))), 0.0), 1.0)
        except ValueError:
            return 0.8

    @volume.setter
    def volume(self, value: float) -> None:
        self._set("volume", "sound/volume", round(min(max(value, 0.0), 1.0), 3))

    @property
    def muted(self) -> bool:
        return self._flag("sound/muted", default=False)

    @muted.setter
    def muted(self, value: bool) -> None:
        self._set("muted", "sound/muted", value)

    @property
    def scan_by_itself(self) -> bool:
        """Whether opening a project scans its roots."""
        return self._flag("background/scan", default=True)

    @scan_by_itself.setter
    def scan_by_itself(self, value: bool) -> None:
        self._set("scan_by_itself", "background/scan", value)

    @property
    def suggest_by_itself(self) -> bool:
        """Whether clips get suggestions without being asked for."""
        return self._flag("background/suggest", default=True)

    @suggest_by_itself.setter
    def suggest_by_itself(self, value: bool) -> None:
        self._set("suggest_by_itself", "background/suggest", value)

    @property
    def sweep_by_itself(self) -> bool:
        """Whether long videos are looked through for clips when suggestions are done."""
        return self._flag("background/sweep", default=True)

    @sweep_by_itself.setter
    def sweep_by_itself(self, value: bool) -> None:
        self._set("sweep_by_itself", "background/sweep", value)

    @property
    def sweep_from_s(self) -> float:
        """From which length on a video is a long one, in seconds."""
        try:
            return max(1.0, float(str(self._ini.value("background/sweep_from_s", LONG_S))))
        except ValueError:
            return LONG_S

    @sweep_from_s.setter
    def sweep_from_s(self, value: float) -> None:
        self._set("sweep_from_s", "background/sweep_from_s", max(1.0, float(value)))

    @property
    def device(self) -> str:
        """Where the model runs: ``auto``, ``cpu``, ``cuda`` or ``mps``."""
        return str(self._ini.value("model/device", "auto"))

    @device.setter
    def device(self, value: str) -> None:
        self._set("device", "model/device", value)

    @property
    def views(self) -> Views:
        """How a model looks at clips."""
        try:
            clips = int(str(self._ini.value("model/views", 1)))
            return Views(clips=clips, flip=self._flag("model/flip", default=False))
        except ValueError:
            return ONE_VIEW

    @views.setter
    def views(self, value: Views) -> None:
        if value != self.views:
            self._ini.setValue("model/views", value.clips)
            self._ini.setValue("model/flip", value.flip)
            self.changed.emit("views")

    def views_cost(self, views: Views) -> float | None:
        """How many times the time of one view these took when they were measured last on this computer."""
        known = self._json("model/views_cost", {})
        found = known.get(f"{views.clips}{'f' * views.flip}") if isinstance(known, dict) else None
        return float(found) if isinstance(found, int | float) else None

    def remember_views_cost(self, views: Views, times: float) -> None:
        """Keeps what was measured."""
        known = self._json("model/views_cost", {})
        known = known if isinstance(known, dict) else {}
        known[f"{views.clips}{'f' * views.flip}"] = round(times, 1)
        self._set("views_cost", "model/views_cost", json.dumps(known))

    @property
    def recent_projects(self) -> tuple[str, ...]:
        """What was opened, newest first: project files and folders as they were given."""
        value = self._json("projects/recent", [])
        return tuple(str(item) for item in value) if isinstance(value, list) else ()

    def remember_project(self, path: Path) -> None:
        """Puts a project at the head of the recent ones."""
        recent = [str(path), *(item for item in self.recent_projects if item != str(path))]
        self._set("recent_projects", "projects/recent", json.dumps(recent[:RECENT_PROJECTS]))

    def forget_project(self, path: Path) -> None:
        """Takes a project that is no longer there from the recent ones."""
        recent = [item for item in self.recent_projects if item != str(path)]
        self._set("recent_projects", "projects/recent", json.dumps(recent))

    @property
    def key_remaps(self) -> dict[str, list[str]]:
        """Action id to key sequences, only for actions that were given other keys."""
        value = self._json("keys/remapped", {})
        if not isinstance(value, dict):
            return {}
        return {
            str(action): [str(key) for key in keys]
            for action, keys in value.items()
            if isinstance(keys, list)
        }

    @key_remaps.setter
    def key_remaps(self, value: dict[str, list[str]]) -> None:
        self._set("key_remaps", "keys/remapped", json.dumps(value))

    def window_state(self, name: str) -> QByteArray:
        """Bytes kept under a name such as ``geometry`` or ``splitter/columns``; empty if there are none."""
        value = self._ini.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def set_window_state(self, name: str, state: QByteArray | bytes) -> None:
        """Keeps bytes of the window's layout."""
        self._ini.setValue(f"layout/{name}", QByteArray(state))

    def flush(self) -> None:
        """Writes to disk now rather than when Qt finds time."""
        self._ini.sync()

    def _set(self, name: str, key: str, value: Any) -> None:
        if self._ini.contains(key) and self._ini.value(key) == value:
            return
        self._ini.setValue(key, value)
        self.changed.emit(name)

    def _flag(self, key: str, *, default: bool) -> bool:
        return str(self._ini.value(key, default)).lower() in {"true", "1"}

    def _number(self, key: str, default: int) -> int:
        try:
            return int(str(self._ini.value(key, default)))
        except ValueError:
            return default

    def _json(self, key: str, default: object) -> Any:
        try:
            return json.loads(str(self._ini.value(key, "")))
        except ValueError:
            return default
