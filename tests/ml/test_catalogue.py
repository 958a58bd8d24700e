from __future__ import annotations

import shutil

import pytest

from tests.ml.conftest import LABELS, PREPROCESSING, SMALL
from vidlabel.core.errors import MissingResourceError, ModelError
from vidlabel.ml import catalogue
from vidlabel.ml.modelfile import read_info, save_model


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDLABEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def bundled(tmp_path, model_path, monkeypatch):
    """A model in the place of the shipped one."""
    path = tmp_path / "resources" / "bundled.safetensors"
    path.parent.mkdir()
    shutil.copy(model_path, path)
    monkeypatch.setattr(catalogue, "bundled_path", lambda: path)
    return path


def save(path, network, *, name, created="2026-01-01T00:00:00+00:00"):
    return save_model(
        path,
        network,
        name=name,
        network="compact3d",
        network_args=SMALL,
        labels=LABELS,
        preprocessing=PREPROCESSING,
        created=created,
    )


def test_the_folder_follows_the_home(home):
    assert catalogue.installed_folder() == home / "models"


def test_without_an_installed_model_there_is_the_bundled_one(home, bundled):
    assert [info.name for info in catalogue.list_models()] == ["bundled"]


def test_the_bundled_model_is_always_named_bundled(home, bundled, model_path):
    by_name = catalogue.find_model("bundled")
    assert by_name.name == "bundled" and by_name.path == bundled
    assert catalogue.find_model(by_name.hash).name == "bundled"
    assert catalogue.find_model(bundled).name == "bundled"


def test_models_are_found_by_name_hash_and_path(home, bundled, network):
    own = save(home / "models" / "own.safetensors", network, name="fine")
    for wanted in ("fine", own.hash, own.hash[:8].upper(), own.path, str(own.path)):
        assert catalogue.find_model(wanted) == own
    assert [info.name for info in catalogue.list_models()] == ["bundled", "fine"]


def test_of_models_with_one_name_the_newest_is_meant(home, bundled, network):
    newer = save(home / "models" / "a.safetensors", network, name="fine", created="2026-03-01T00:00:00+00:00")
    save(home / "models" / "b.safetensors", network, name="fine")
    assert catalogue.find_model("fine") == newer


def test_an_installed_model_cannot_take_the_bundled_ones_place(home, bundled, network):
    save(home / "models" / "evil.safetensors", network, name="bundled")
    assert catalogue.find_model("bundled").path == bundled


def test_a_damaged_model_does_not_hide_the_others(home, bundled, network):
    save(home / "models" / "good.safetensors", network, name="good")
    (home / "models" / "bad.safetensors").write_bytes(b"no model")
    assert [info.name for info in catalogue.list_models()] == ["bundled", "good"]
    (error,) = catalogue.damaged_models()
    assert "bad.safetensors" in str(error)
    with pytest.raises(ModelError, match=r"bad\.safetensors"):
        catalogue.find_model(home / "models" / "bad.safetensors")


def test_an_unknown_model_says_what_there_is(home, bundled):
    with pytest.raises(ModelError, match="Installed are: bundled"):
        catalogue.find_model("nothing")


def test_a_damaged_installation_still_lists_installed_models(home, network, monkeypatch, tmp_path):
    def missing():
        raise MissingResourceError(tmp_path / "bundled.safetensors")

    monkeypatch.setattr(catalogue, "bundled_path", missing)
    save(home / "models" / "good.safetensors", network, name="good")
    assert [info.name for info in catalogue.list_models()] == ["good"]
    with pytest.raises(MissingResourceError):
        catalogue.find_model("bundled")


def test_a_model_file_elsewhere_can_be_named(home, bundled, network, tmp_path):
    save(tmp_path / "elsewhere.safetensors", network, name="away")
    assert catalogue.find_model(tmp_path / "elsewhere.safetensors").name == "away"
    assert read_info(tmp_path / "elsewhere.safetensors").name == "away"
