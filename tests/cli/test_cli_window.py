"""The window where there is no display, and where there is one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine
from vidlabel.cli import display

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays of Linux")


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


@linux
def test_without_a_display_the_commands_are_named(vidlabel: CommandLine, tmp_path: Path) -> None:
    for arguments in ((), (tmp_path,)):
        said = vidlabel(*arguments, code=1).err
        assert "no display" in said
        assert "vidlabel scan, suggest" in said


@linux
def test_a_display_that_does_not_answer(vidlabel: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":54321")
    said = vidlabel(code=1).err
    assert ":54321 does not answer" in said or "libraries that are missing" in said


@linux
def test_missing_libraries_are_named_with_their_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setitem(display._PACKAGES, "libnotthere.so.9", ("libnotthere9", "notthere"))
    broken = "libnotthere.so.9: cannot open shared object file"
    really = display._loads
    monkeypatch.setattr(
        display,
        "_loads",
        lambda path: broken if path.name in ("libqxcb.so", "libnotthere.so.9") else really(path),
    )
    said = display.why_no_window()
    assert said is not None
    assert "libnotthere.so.9" in said
    assert "apt install" in said
    assert "libnotthere9" in said


@linux
def test_an_unknown_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "teletype")
    assert "no platform 'teletype'" in (display.why_no_window() or "")


def test_a_platform_without_a_display_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.why_no_window() is None


def test_the_qt_of_opencv_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/lib/site-packages/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/usr/share/fonts")
    display.forget_opencv_qt()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/usr/share/fonts"


def test_the_window_opens_what_was_named(
    vidlabel: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path | None] = []

    def run_window(project: Path | None) -> int:
        opened.append(project)
        return 0

    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setitem(sys.modules, "vidlabel.app", type(sys)("vidlabel.app"))
    monkeypatch.setattr(sys.modules["vidlabel.app"], "run_window", run_window, raising=False)
    (tmp_path / "scan").mkdir()
    vidlabel()
    vidlabel("./scan")
    vidlabel(tmp_path)
    vidlabel(tmp_path, tmp_path, code=2)
    assert opened == [None, tmp_path / "scan", tmp_path]


def test_without_qt_the_commands_are_named(
    vidlabel: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "PySide6", None)
    said = vidlabel(tmp_path, code=1).err
    assert "PySide6 is not installed" in said
    assert "vidlabel scan, suggest" in said
    vidlabel("scan", tmp_path)
    assert "PySide6-Essentials" in vidlabel("doctor").out
