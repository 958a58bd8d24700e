"""Where things of the person lie on this machine: settings, projects of folders, caches, models, logs.

``VIDLABEL_HOME`` moves all of it into one folder (tests, portable use).
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import platformdirs

PROJECT_SUFFIX = ".vidlabel"


def _home() -> Path | None:
    home = os.environ.get("VIDLABEL_HOME")
    return Path(home) if home else None


def data_folder() -> Path:
    """Where projects of folders, installed models and settings live."""
    return _home() or Path(platformdirs.user_data_dir("vidlabel", appauthor=False))


def cache_folder() -> Path:
    """What can be made again: thumbnails and filmstrips."""
    home = _home()
    return home / "cache" if home else Path(platformdirs.user_cache_dir("vidlabel", appauthor=False))


def log_folder() -> Path:
    """Where the window and the engine write their logs."""
    home = _home()
    return home / "logs" if home else Path(platformdirs.user_log_dir("vidlabel", appauthor=False))


def models_folder() -> Path:
    """Installed models, once per user, by hash."""
    return data_folder() / "models"


def settings_file() -> Path:
    """The window's settings (INI)."""
    return data_folder() / "settings.ini"


def project_of_folder(folder: Path) -> Path:
    """The project file that belongs to a media folder; it need not exist yet.

    It lies in the person's data folder and not beside the footage, which may be read-only or on a
    network share where SQLite's write-ahead log does not work. The name carries the folder's own
    name, for people, and a hash of its full path, so that two folders called ``day1`` do not meet.
    """
    folder = folder.resolve()
    readable = re.sub(r"[^\w.-]+", "_", folder.name).strip("._")[:60] or "folder"
    digest = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:10]
    return data_folder() / "projects" / f"{readable}-{digest}{PROJECT_SUFFIX}"


def is_project_file(path: Path) -> bool:
    """Whether a path given by the person means a project file rather than a folder of media."""
    return path.suffix.lower() == PROJECT_SUFFIX and not path.is_dir()
