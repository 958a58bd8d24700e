"""models and doctor: what this computer has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import LABELS, CommandLine


def test_models_are_listed_and_told_about(vidlabel: CommandLine, home: Path, model: Path) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / "tiny.safetensors").write_bytes(model.read_bytes())
    (home / "models" / "broken.safetensors").write_bytes(b"nothing")
    answer = vidlabel.json("models", "list")
    tiny = next(one for one in answer["models"] if one["name"] == "tiny")
    assert tiny["labels"] == 12
    assert [Path(one["model"]).name for one in answer["damaged"]] == ["broken.safetensors"]
    info = vidlabel.json("models", "info", tiny["hash"][:8])
    assert info["labels"] == LABELS
    assert info["card"] == {"about": {"purpose": "a test"}}
    assert "  purpose: a test" in vidlabel("models", "info", "tiny").out
    assert "tiny" in vidlabel("models", "info", "nonesuch", code=1).err


def test_doctor_looks_at_everything(vidlabel: CommandLine, home: Path, model: Path) -> None:
    (home / "models").mkdir(parents=True)
    (home / "models" / f"{'0' * 64}.safetensors").write_bytes(model.read_bytes())
    answer = vidlabel.json("doctor")
    checks = {one["name"]: one for one in answer["checks"]}
    assert {"Processor", "GPU (cuda)", "Codecs", "Disk for projects", "Window (Qt)", "Sound"} <= checks.keys()
    assert checks["Codecs"]["state"] == "ok"
    assert checks["Model tiny"]["state"] == "fault"
    assert "sha256" in checks["Model tiny"]["detail"]
    assert answer["ok"] is False
    for one in answer["checks"]:
        assert one["state"] == "ok" or one["remedy"], one
        assert "\n" not in one["remedy"]


def test_doctor_for_people(vidlabel: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vidlabel.cli.examine.missing_qt_libraries", lambda: ("libxcb-cursor.so.0",))
    said = vidlabel("doctor").out
    assert "absent Window (Qt): PySide6" in said
    assert "-> apt install libxcb-cursor0" in said
