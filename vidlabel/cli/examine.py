"""What the program stands on, looked at one by one: devices, codecs, disks, Qt's libraries, models."""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import av

from vidlabel.cli.display import missing_qt_libraries, packages, qt_folder
from vidlabel.core.errors import VidlabelError
from vidlabel.core.paths import cache_folder, data_folder, models_folder
from vidlabel.ml.catalogue import BUNDLED, damaged_models, find_model, list_models
from vidlabel.ml.devices import describe_devices
from vidlabel.ml.modelfile import load_model
from vidlabel.store.places import EMBEDDINGS

_LITTLE_ROOM = 1 << 30

# What cameras, phones and the web write. AV1 has a decoder of its own name: the plain one needs a GPU.
_CODECS = {
    "H.264": ("h264",),
    "H.265": ("hevc",),
    "AV1": ("libdav1d", "libaom-av1"),
    "VP9": ("vp9", "libvpx-vp9"),
    "MPEG-4": ("mpeg4",),
}


class State(Enum):
    """How something was found."""

    OK = "ok"
    ABSENT = "absent"
    """Not there, and the program does without."""
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One thing looked at; ``remedy`` is one line, empty where none is needed."""

    name: str
    state: State
    detail: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Looks at everything; nothing is changed."""
    return [*_devices(), _codecs(), *_disks(), _embeddings(), _qt(), _sound(), *_models()]


def _devices() -> Iterator[Finding]:
    for report in describe_devices():
        name = {"cuda": "GPU (cuda)", "mps": "GPU (mps)", "cpu": "Processor"}[report.kind]
        if report.device is not None:
            yield Finding(name, State.OK, f"{report.device.name}: {report.device.detail}")
        elif report.kind != "mps" or sys.platform == "darwin":
            yield Finding(name, State.ABSENT, report.reason, report.remedy)


def _codecs() -> Finding:
    missing = [name for name, decoders in _CODECS.items() if not av.codecs_available.intersection(decoders)]
    about = f"PyAV {av.__version__}, FFmpeg {av.ffmpeg_version_info}"
    if missing:
        remedy = "Install PyAV from its wheel: pip install --force-reinstall --only-binary av av"
        return Finding("Codecs", State.FAULT, f"{about} cannot decode {', '.join(missing)}.", remedy)
    return Finding("Codecs", State.OK, f"{about} decodes {', '.join(_CODECS)}")


def _disks() -> Iterator[Finding]:
    folders = {"Disk for projects": data_folder(), "Disk for thumbnails": cache_folder()}
    for name, folder in folders.items():
        there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                free = shutil.disk_usage(there).free
        except OSError as error:
            remedy = "Give yourself the right to write there, or set VIDLABEL_HOME to another folder."
            yield Finding(name, State.FAULT, f"{folder} cannot be written: {error.strerror}", remedy)
            continue
        detail = f"{free / (1 << 30):.1f} GiB free for {folder}"
        if free < _LITTLE_ROOM:
            yield Finding(
                name, State.FAULT, detail, "Make room, or set VIDLABEL_HOME to a folder on another disk."
            )
        else:
            yield Finding(name, State.OK, detail)


def _embeddings() -> Finding:
    """Of the projects that lie in the data folder; one elsewhere is told about by `vidlabel check`."""
    folders = [found for found in (data_folder() / "projects").glob(f"*{EMBEDDINGS}") if found.is_dir()]
    nbytes = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    projects = f"{len(folders)} project{'s' if len(folders) != 1 else ''}"
    detail = f"{nbytes / (1 << 20):,.1f} MiB of {projects} in {data_folder() / 'projects'}"
    return Finding("Embeddings", State.OK, f"{detail}; they may be removed, and are then computed again")


def _qt() -> Finding:
    if qt_folder() is None:
        return Finding(
            "Window (Qt)", State.ABSENT, "PySide6 is not installed.", "pip install PySide6-Essentials"
        )
    version = f"PySide6 {_version('PySide6-Essentials', 'PySide6')}"
    missing = missing_qt_libraries()
    if missing:
        return Finding(
            "Window (Qt)", State.ABSENT, f"{version} lacks {', '.join(missing)}.", packages(missing)
        )
    return Finding("Window (Qt)", State.OK, version)


def _sound() -> Finding:
    if qt_folder() is None or importlib.util.find_spec("PySide6.QtMultimedia") is None:
        return Finding("Sound", State.ABSENT, "QtMultimedia is not installed.", "pip install PySide6-Addons")
    if sys.platform.startswith("linux"):
        try:
            ctypes.CDLL("libpulse.so.0")
        except OSError:
            remedy = "apt install libpulse0 (Debian, Ubuntu), dnf install pulseaudio-libs (Fedora)"
            return Finding(
                "Sound", State.ABSENT, "QtMultimedia lacks libpulse.so.0; videos play silently.", remedy
            )
    return Finding("Sound", State.OK, "QtMultimedia")


def _models() -> Iterator[Finding]:
    try:
        find_model(BUNDLED)
    except VidlabelError as error:
        remedy = "Install vidlabel again."
        yield Finding("Model bundled", State.FAULT, str(error).removesuffix(f" {remedy}"), remedy)
    for model in list_models():
        about = f"{model.network}, {len(model.labels)} labels, sha256 {model.hash}"
        try:
            load_model(model.path)
        except VidlabelError as error:
            yield Finding(f"Model {model.name}", State.FAULT, str(error), _remove_and_install(model.path))
            continue
        if _hash_in_name(model.path) not in (None, model.hash):
            detail = f"{model.path} is not what its name says: its sha256 is {model.hash}."
            yield Finding(f"Model {model.name}", State.FAULT, detail, _remove_and_install(model.path))
        else:
            yield Finding(f"Model {model.name}", State.OK, about)
    for damaged in damaged_models():
        yield Finding(
            f"Model {Path(damaged.model).name}",
            State.FAULT,
            damaged.reason,
            _remove_and_install(Path(damaged.model)),
        )


def _remove_and_install(path: Path) -> str:
    if path.parent != models_folder():
        return "Install vidlabel again."
    return f"`vidlabel models remove {path.name}`, then install it again."


def _hash_in_name(path: Path) -> str | None:
    """Installed models are called by their hash."""
    stem = path.stem.lower()
    return stem if len(stem) == 64 and set(stem) <= set("0123456789abcdef") else None


def _version(*distributions: str) -> str:
    for distribution in distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "(unknown version)"
