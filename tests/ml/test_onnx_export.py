"""ONNX graphs of real models, run by onnxruntime."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
import torch

from tests.ml.conftest import LABELS
from vidlabel.core.errors import ModelError
from vidlabel.ml import onnx_export
from vidlabel.ml.convert import export_model
from vidlabel.ml.grouping import Grouping
from vidlabel.ml.modelfile import load_model, read_info, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing

THERE = all(importlib.util.find_spec(package) for package in onnx_export.NEEDED)
needs_onnx = pytest.mark.skipif(not THERE, reason="needs the extra 'onnx'")
GROUPING = Grouping("test", ("a", "b", "c", "d", "e"), ((0, 1), (3,)), ())
SHAPES = {
    "compact3d": (4, 16),
    "resnet18_lstm": (4, 32),
    "r3d_18": (4, 32),
    "s3d": (16, 64),
    "swin3d_t": (4, 64),
    "mvit_v2_s": (16, 224),
}
SLOW = ("r3d_18", "s3d", "swin3d_t", "mvit_v2_s")


@pytest.fixture(autouse=True)
def no_monitor(monkeypatch):
    """The newer exporter shows progress bars, and those start a thread that stays."""
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)


def run(path, clips):
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(
        None, {"clip": clips}
    )


@needs_onnx
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in SHAPES]
)
def test_a_graph_answers_as_torch_does_for_any_batch(tmp_path, name):
    frames, size = SHAPES[name]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(name, labels=5)
    network.group(GROUPING)
    info = save_model(
        tmp_path / "m.safetensors",
        network,
        name="m",
        network=name,
        labels=("first", "second"),
        preprocessing=Preprocessing(frames=frames, height=size, width=size),
        license="MIT",
        grouping=GROUPING,
    )
    said = []
    out = export_model(info, tmp_path / "m.onnx", kind="onnx", say=said.append)
    assert "at most" in said[-1] and float(said[-1].split()[-1]) < 1e-4
    clips = np.random.default_rng(1).standard_normal((3, 3, frames, size, size), dtype=np.float32)
    with torch.inference_mode():
        logits, embedding = network.eval().embed(torch.from_numpy(clips))
    found = run(out, clips)
    np.testing.assert_allclose(found[0], logits.numpy(), atol=1e-4)
    np.testing.assert_allclose(found[1], embedding.numpy(), atol=1e-3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx", "m.safetensors"]


@needs_onnx
def test_the_graph_says_what_it_needs_to_be_used(tmp_path, model_path):
    import onnx

    info = read_info(model_path)
    graph = onnx.load(str(export_model(info, tmp_path / "m.onnx", kind="onnx")))
    about = {one.key: one.value for one in graph.metadata_props}
    assert json.loads(about["labels"]) == list(LABELS) and about["hash"] == info.hash
    assert Preprocessing.from_json(json.loads(about["preprocessing"])) == info.preprocessing
    assert about["license"] == "Apache-2.0"


@needs_onnx
def test_the_newer_exporter_takes_over_where_the_older_fails(tmp_path, model_path, monkeypatch):
    tried = []

    def gone(loaded, path):
        tried.append(loaded.info.name)
        raise AttributeError("torch has no such exporter any more")

    monkeypatch.setattr(onnx_export, "_traced", gone)
    info = read_info(model_path)
    out = export_model(info, tmp_path / "m.onnx", kind="onnx")
    clips = np.random.default_rng(1).standard_normal((5, 3, 4, 16, 16), dtype=np.float32)
    with torch.inference_mode():
        wanted = load_model(info.path).module(torch.from_numpy(clips)).numpy()
    np.testing.assert_allclose(run(out, clips)[0], wanted, atol=1e-4)
    assert tried == ["small"]


@needs_onnx
def test_a_network_that_cannot_be_expressed_says_so(tmp_path, model_path, monkeypatch):
    def cannot(loaded, path):
        raise RuntimeError("no such operator: aten::dream\nand more")

    monkeypatch.setattr(onnx_export, "_traced", cannot)
    monkeypatch.setattr(onnx_export, "_captured", cannot)
    with pytest.raises(
        ModelError, match=r"cannot express compact3d as ONNX \(no such operator: aten::dream\)"
    ):
        export_model(read_info(model_path), tmp_path / "m.onnx", kind="onnx")
    assert not (tmp_path / "m.onnx").exists()


@needs_onnx
def test_a_graph_that_answers_otherwise_is_not_written(tmp_path, model_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="answers otherwise than torch"):
        export_model(read_info(model_path), tmp_path / "m.onnx", kind="onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_without_the_packages_it_says_what_to_install(tmp_path, model_path, monkeypatch):
    monkeypatch.setattr(onnx_export, "NEEDED", ("json", "surely_not_there", "nor_this"))
    with pytest.raises(ModelError, match=r"surely_not_there, nor_this, which are not.*vidlabel\[onnx\]"):
        export_model(read_info(model_path), tmp_path / "m.onnx", kind="onnx")
