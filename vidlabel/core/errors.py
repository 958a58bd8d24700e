"""Errors a person can act on. Each message says what happened, to which file, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal


class VidlabelError(Exception):
    """Base of every expected error. ``str(error)`` is fit to be shown to the person as it is."""


class UsageError(VidlabelError):
    """The command line was used wrongly (exit code 2)."""


class FilterError(UsageError):
    """A filter expression cannot be understood; ``position`` counts characters from 0."""

    def __init__(self, expression: str, position: int, reason: str) -> None:
        super().__init__(f"Filter, character {position + 1}: {reason}\n  {expression}\n  {' ' * position}^")
        self.expression = expression
        self.position = position
        self.reason = reason


class MissingResourceError(VidlabelError):
    """A file that ships with the program is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is missing from the installation. Install vidlabel again.")
        self.path = path


class MediaError(VidlabelError):
    """A media file cannot be used; ``reason`` alone is stored beside the video."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class UnreadableVideoError(MediaError):
    """The file is not a video that can be decoded (empty, no picture, damaged, unknown codec)."""


class MissingVideoError(MediaError):
    """The file is not where it was (deleted, moved, or its disk is not connected)."""


class ProjectError(VidlabelError):
    """A project file cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class NewerProjectError(ProjectError):
    """The project was made by a newer vidlabel; it is left untouched."""


class ReadOnlyProjectError(ProjectError):
    """The project can be read but not written."""


class ProjectInUseError(ProjectError):
    """Another window has this project open for writing."""


class NotAProjectError(ProjectError):
    """The file is no vidlabel project."""


class DamagedProjectError(ProjectError):
    """The database fails its integrity check."""


class DiskFullError(ProjectError):
    """No space was left while writing; what was acknowledged before is safe."""


class UnknownLabelError(VidlabelError):
    """A label is not in the project's label set."""

    def __init__(self, label: str, close: tuple[str, ...] = ()) -> None:
        hint = (
            f" Did you mean {' or '.join(close)}?" if close else " `vidlabel list` shows the labels in use."
        )
        super().__init__(f"'{label}' is not in the label set of this project.{hint}")
        self.label = label


class UnknownVideoError(VidlabelError):
    """A path names no video of the project."""

    def __init__(self, video: str) -> None:
        super().__init__(
            f"{video} is not a video of this project. Give a path inside one of its roots, "
            "or add its folder with `vidlabel scan PROJECT FOLDER`."
        )
        self.video = video


class ModelError(VidlabelError):
    """A model cannot be used: not found, damaged, or not made for this."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(f"Model {model}: {reason}")
        self.model = model
        self.reason = reason


class DownloadError(VidlabelError):
    """Something could not be fetched. ``kind`` is what stood in the way: network, offline, hash or disk."""

    def __init__(
        self, what: str, reason: str, *, kind: Literal["network", "offline", "hash", "disk"] = "network"
    ) -> None:
        super().__init__(f"{what}: {reason}")
        self.what = what
        self.reason = reason
        self.kind = kind


class DeviceError(VidlabelError):
    """The device asked for is not there or gave up."""


class TrainingError(VidlabelError):
    """Fitting a model cannot start, go on, or be resumed. ``kind`` is what stood in the way."""

    def __init__(
        self, words: str, *, kind: Literal["nan", "memory", "checkpoint", "other"] = "other"
    ) -> None:
        super().__init__(words)
        self.kind = kind


class FormatError(VidlabelError):
    """A file to import is not in the format it was said to be in."""

    def __init__(self, path: Path, reason: str, *, line: int | None = None) -> None:
        where = f"{path}, line {line}" if line is not None else str(path)
        super().__init__(f"{where}: {reason}")
        self.path = path
        self.line = line


class StoppedError(VidlabelError):
    """The person stopped the work; what was done so far is kept."""
