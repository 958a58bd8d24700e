"""The house stays the house: floors, what the window may load, what a wheel carries."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=150)


def test_import_floors_hold() -> None:
    pytest.importorskip("importlinter")
    linted = _run(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    assert linted.returncode == 0, linted.stdout


def test_the_windows_process_never_loads_torch_cv2_or_av() -> None:
    script = (
        "import sys, pkgutil, importlib, vidlabel.app, vidlabel.ui, vidlabel.services, vidlabel.store\n"
        "for package in (vidlabel.ui, vidlabel.services, vidlabel.store):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if '.migrations' not in module.name: importlib.import_module(module.name)\n"
        "print([name for name in ('torch', 'torchvision', 'cv2', 'av') if name in sys.modules])\n"
    )
    loaded = _run(sys.executable, "-c", script)
    assert loaded.stdout.strip() == "[]", loaded.stdout + loaded.stderr


def test_the_window_module_loads_without_store_and_numpy() -> None:
    """They load after the first paint; start-up time depends on it."""
    script = (
        "import sys, vidlabel.app, vidlabel.ui.main_window\n"
        "print([name for name in ('sqlalchemy', 'numpy', 'alembic') if name in sys.modules])\n"
    )
    loaded = _run(sys.executable, "-c", script)
    assert loaded.stdout.strip() == "[]", loaded.stdout + loaded.stderr


def test_services_know_no_widgets() -> None:
    """Import contracts cannot tell the parts of PySide6 apart, so the sources are read."""
    sources = (CHECKOUT / "vidlabel" / "services").rglob("*.py")
    assert not [source.name for source in sources if "QtWidgets" in source.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    "module", ["vidlabel.cli", "vidlabel.engine.main", "vidlabel.learning", "vidlabel.ml"]
)
def test_no_qt_without_the_window(module: str) -> None:
    script = (
        f"import sys, {module}\nprint([n for n in sys.modules if n.startswith(('PySide6', 'shiboken6'))])"
    )
    loaded = _run(sys.executable, "-c", script)
    assert loaded.stdout.strip() == "[]", loaded.stdout + loaded.stderr


def test_the_wheel_carries_every_resource(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    built = _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    listed = _run("git", "ls-files", "resources")
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    missing = [name for name in listed.stdout.splitlines() if f"vidlabel/{name}" not in inside]
    assert not missing
    assert any(name.startswith("vidlabel/store/migrations/versions/") for name in inside)


def test_an_unpacked_wheel_finds_its_own_resources(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    built = _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert built.returncode == 0, built.stderr
    site = tmp_path / "site"
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    script = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "from vidlabel.core.resources import resource_path\n"
        "print(resource_path('label_sets/hmdb51.json'))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert found.stdout.strip().startswith(str(site)), found.stdout + found.stderr
