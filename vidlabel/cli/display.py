"""Whether a window can be shown here. Qt ends the whole process where it cannot, so this is asked before."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from pathlib import Path

HEADLESS = (
    "Without a window these work: vidlabel scan, suggest, list, label, import, export (see vidlabel --help)."
)

_OPENCV_SETS = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")

# What Qt's own packages do not bring, with its name in Debian and Ubuntu, and in Fedora.
_PACKAGES = {
    "libGL.so.1": ("libgl1", "mesa-libGL"),
    "libEGL.so.1": ("libegl1", "mesa-libEGL"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
    "libX11.so.6": ("libx11-6", "libX11"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb"),
    "libxcb.so.1": ("libxcb1", "libxcb"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb"),
    "libxcb-render.so.0": ("libxcb-render0", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-shm.so.0": ("libxcb-shm0", "libxcb"),
    "libxcb-sync.so.1": ("libxcb-sync1", "libxcb"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
    "libwayland-client.so.0": ("libwayland-client0", "libwayland-client"),
    "libwayland-cursor.so.0": ("libwayland-cursor0", "libwayland-cursor"),
    "libwayland-egl.so.1": ("libwayland-egl1", "libwayland-egl"),
}


def forget_opencv_qt() -> None:
    """Takes back what an OpenCV with a Qt of its own set: with that, our Qt would load the wrong plugins."""
    for name in _OPENCV_SETS:
        if "cv2" in Path(os.environ.get(name, "")).parts:
            del os.environ[name]


def why_no_window() -> str | None:
    """Why no window can be shown, with what to do about it; None when one can."""
    folder = qt_folder()
    if folder is None:
        return f"PySide6 is not installed: pip install PySide6-Essentials. {HEADLESS}"
    if not sys.platform.startswith("linux"):
        return None
    return _why_not_on_linux(folder / "Qt")


def qt_folder() -> Path | None:
    """Where PySide6 is installed, without importing it; None where it is not, or is kept from us."""
    try:
        where = importlib.util.find_spec("PySide6")
    except (ImportError, ValueError):
        return None
    if where is None or not where.submodule_search_locations:
        return None
    return Path(where.submodule_search_locations[0])


def missing_qt_libraries() -> tuple[str, ...]:
    """Libraries of the system that Qt's usual platform (X11) needs and that are not there; for ``doctor``."""
    folder = qt_folder()
    if folder is None or not sys.platform.startswith("linux"):
        return ()
    qt = folder / "Qt"
    if _loads(qt / "lib" / "libQt6Widgets.so.6") is None and _loads(_plugin(qt, "xcb")) is None:
        return ()
    return _all_missing()


def packages(libraries: tuple[str, ...]) -> str:
    """The command that installs these libraries, for the two large families of Linux."""
    known = [_PACKAGES[name] for name in libraries if name in _PACKAGES]
    debian = " ".join(dict.fromkeys(names[0] for names in known))
    fedora = " ".join(dict.fromkeys(names[1] for names in known))
    return f"apt install {debian} (Debian, Ubuntu), dnf install {fedora} (Fedora)"


def _why_not_on_linux(qt: Path) -> str | None:
    asked = os.environ.get("QT_QPA_PLATFORM", "")
    if not (asked or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return f"there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set). {HEADLESS}"
    broken = _loads(qt / "lib" / "libQt6Widgets.so.6")
    if broken is not None:
        return _missing(broken)
    wanted = [name.partition(":")[0] for name in asked.split(";") if name] or _usual()
    reasons = []
    for platform in wanted:
        reason = _why_not_platform(qt, platform)
        if reason is None:
            return None
        reasons.append(reason)
    return reasons[-1]


def _usual() -> list[str]:
    """The platforms Qt tries by itself, in its order."""
    wayland = ["wayland"] if os.environ.get("WAYLAND_DISPLAY") else []
    return [*wayland, *(["xcb"] if os.environ.get("DISPLAY") else [])]


def _why_not_platform(qt: Path, platform: str) -> str | None:
    plugin = _plugin(qt, platform)
    if not plugin.exists():
        return f"Qt has no platform '{platform}' (QT_QPA_PLATFORM). {HEADLESS}"
    broken = _loads(plugin)
    if broken is not None:
        return _missing(broken)
    if platform == "xcb" and not _x_server_answers():
        return (
            f"the display {os.environ.get('DISPLAY') or '(DISPLAY is not set)'} does not answer. {HEADLESS}"
        )
    if platform == "wayland" and not _wayland_socket().exists():
        return f"the Wayland display {_wayland_socket()} is not there. {HEADLESS}"
    return None


def _plugin(qt: Path, platform: str) -> Path:
    return qt / "plugins" / "platforms" / f"libq{platform}.so"


def _loads(library: Path) -> str | None:
    """Loads a library, as Qt will a moment later; otherwise what the loader says."""
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error)
    return None


def _missing(loader_words: str) -> str:
    libraries = _all_missing() or tuple(name for name in _PACKAGES if loader_words.startswith(f"{name}:"))
    if not libraries:
        return f"Qt's libraries cannot be loaded: {loader_words}. {HEADLESS}"
    named = ", ".join(libraries)
    return (
        f"Qt needs libraries that are missing here: {named}. Install them: {packages(libraries)}. {HEADLESS}"
    )


def _all_missing() -> tuple[str, ...]:
    """Every one of the table, so that the person installs once and not one after another."""
    wayland = bool(os.environ.get("WAYLAND_DISPLAY"))
    names = (name for name in _PACKAGES if wayland or "wayland" not in name)
    return tuple(name for name in names if _loads(Path(name)) is not None)


def _x_server_answers() -> bool:
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    xcb.xcb_connection_has_error.argtypes = (ctypes.c_void_p,)
    xcb.xcb_disconnect.argtypes = (ctypes.c_void_p,)
    connection = xcb.xcb_connect(None, None)
    try:
        return bool(xcb.xcb_connection_has_error(connection) == 0)
    finally:
        xcb.xcb_disconnect(connection)


def _wayland_socket() -> Path:
    return Path(os.environ.get("XDG_RUNTIME_DIR", "/run")) / os.environ.get("WAYLAND_DISPLAY", "wayland-0")
