from __future__ import annotations

import hashlib
import json
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from tests.ml.conftest import LABELS, PREPROCESSING, SMALL
from vidlabel.core.errors import ModelError
from vidlabel.ml.grouping import Grouping
from vidlabel.ml.modelfile import load_model, read_info, save_model


def header_of(path):
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def with_header(path, change):
    header, body = header_of(path)
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_a_saved_model_comes_back_as_it_was(model_path, network):
    loaded = load_model(model_path)
    info = loaded.info
    assert (info.name, info.network, info.labels) == ("small", "compact3d", LABELS)
    assert info.network_args == SMALL and info.preprocessing == PREPROCESSING
    assert info.card == {"data": "none", "top1": 0.1} and info.license == "Apache-2.0"
    assert info.hash == hashlib.sha256(model_path.read_bytes()).hexdigest()
    assert info.created.startswith("20")
    x = torch.rand(2, 3, 4, 16, 16)
    with torch.inference_mode():
        assert torch.equal(loaded.module(x), network(x))
    assert not loaded.module.training
    assert read_info(model_path) == info


GROUPING = Grouping("test", ("a", "b", "c"), ((0, 2), (1,)), ("pour",))


def grouped(path, network, labels=("first", "second")):
    return save_model(
        path,
        network,
        name="g",
        network="compact3d",
        network_args=SMALL,
        labels=labels,
        preprocessing=PREPROCESSING,
        grouping=GROUPING,
    )


def test_a_grouping_comes_back_and_works(network, tmp_path):
    info = grouped(tmp_path / "g.safetensors", network)
    assert info.grouping == GROUPING and info.labels == ("first", "second")
    module = load_model(info.path).module
    x = torch.rand(2, 3, 4, 16, 16)
    with torch.inference_mode():
        classes = torch.softmax(network(x), dim=1)
        sums = torch.stack([classes[:, 0] + classes[:, 2], classes[:, 1]], dim=1)
        torch.testing.assert_close(torch.softmax(module(x), dim=1), sums)


def test_only_a_grouped_file_needs_the_newer_format(model_path, network, tmp_path):
    assert header_of(model_path)[0]["__metadata__"]["format"] == "1"
    assert "grouping" not in header_of(model_path)[0]["__metadata__"]
    path = grouped(tmp_path / "g.safetensors", network).path
    assert header_of(path)[0]["__metadata__"]["format"] == "2"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.update(groups=[[0], [7]]), "grouping of classes cannot be used"),
        (lambda values: values.update(groups=[[0]]), "gathered into 1 labels, but its list names 2"),
        (lambda values: values.update(classes=["a", "b"], groups=[[0], [1]]), "3 classes apart, .* names 2"),
    ],
)
def test_a_grouping_that_does_not_fit_is_explained(network, tmp_path, change, said):
    path = grouped(tmp_path / "g.safetensors", network).path

    def changed(header):
        values = GROUPING.to_json()
        change(values)
        header["__metadata__"]["grouping"] = json.dumps(values)

    with_header(path, changed)
    with pytest.raises(ModelError, match=said):
        load_model(path)


def test_a_grouping_for_other_labels_is_not_saved(network, tmp_path):
    with pytest.raises(ModelError, match="gathered into 2 labels"):
        grouped(tmp_path / "g.safetensors", network, labels=("a", "b", "c"))
    assert not (tmp_path / "g.safetensors").exists()


def test_half_weights_halve_the_file_and_load_as_float32(model_path, network, tmp_path):
    half = tmp_path / "half.safetensors"
    args = {"name": "h", "network": "compact3d", "labels": LABELS, "preprocessing": PREPROCESSING}
    save_model(half, network, **args, network_args=SMALL, weights="float16")
    assert half.stat().st_size < 0.65 * model_path.stat().st_size
    assert {value.dtype for value in load_model(half).module.state_dict().values()} <= {
        torch.float32,
        torch.int64,
    }


def test_the_hash_follows_the_content(model_path, network):
    before = read_info(model_path).hash
    args = {"name": "other", "network": "compact3d", "labels": LABELS, "preprocessing": PREPROCESSING}
    after = save_model(model_path, network, **args, network_args=SMALL).hash
    assert after != before


def test_reading_info_needs_no_torch(model_path):
    code = (
        "import sys; from pathlib import Path; from vidlabel.ml.modelfile import read_info;"
        "import vidlabel.ml.catalogue;"
        f"print(read_info(Path({str(model_path)!r})).name, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["small", "False"]


@pytest.mark.parametrize("keep", [0, 5, 8, 100, -1, -5000])
def test_a_file_cut_short_is_refused(model_path, keep):
    model_path.write_bytes(model_path.read_bytes()[:keep])
    for read in (read_info, load_model):
        with pytest.raises(ModelError, match=r"cut short|empty|no safetensors"):
            read(model_path)


def test_trailing_bytes_are_refused(model_path):
    model_path.write_bytes(model_path.read_bytes() + b"more")
    with pytest.raises(ModelError, match="4 bytes too many"):
        read_info(model_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.safetensors.*no such file"):
        read_info(tmp_path / "gone.safetensors")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ModelError):
        read_info(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"\x00" * 64,
        b"\xff" * 64,
        b"RIFF" * 100,
        struct.pack("<Q", 20) + b"{" * 20,
        struct.pack("<Q", 4) + b"[1,]",
    ],
)
def test_foreign_files_are_refused(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        read_info(path)


def test_a_pickle_is_refused_unopened(tmp_path):
    path = tmp_path / "x.safetensors"
    torch.save({"a": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="pickled"):
        load_model(path)

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ModelError, match="pickled"):
        load_model(path)
    assert not (tmp_path / "ran").exists()


def test_safetensors_from_elsewhere_are_no_model(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": np.zeros(3)}, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="no model of vidlabel's"):
        read_info(path)


def put(key, value):
    return lambda header: header["__metadata__"].__setitem__(key, json.dumps(value))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("format", 3), "newer vidlabel"),
        (put("format", "1"), "format version"),
        (put("labels", []), "labels is empty"),
        (put("labels", ["a", "a", "b"]), "twice"),
        (put("labels", ["a", "b"]), "tells 3 labels apart, but its list names 2"),
        (put("network", "resnet"), "no network of this name"),
        (put("network", "r3d_18"), "r3d_18 .*cannot be built"),
        (
            lambda header: (put("network", "s3d")(header), put("network_args", {})(header)),
            "not those of s3d: ",
        ),
        (
            put("network_args", {"widths": [8, 12, 20], "blocks": [1, 1], "time_strides": [1, 2]}),
            "another shape",
        ),
        (put("network_args", {"depth": 3}), "cannot be built"),
        (put("network_args", []), "network_args is damaged"),
        (put("preprocessing", {"frames": -1}), "preprocessing cannot be used"),
        (put("preprocessing", 3), "preprocessing cannot be used"),
        (lambda header: header["__metadata__"].pop("labels"), "lacks labels"),
        (lambda header: header["__metadata__"].__setitem__("card", "{"), "description is damaged"),
        (lambda header: header["head.bias"].__setitem__("data_offsets", [0, 4]), "header is damaged"),
        (lambda header: header["head.bias"].__setitem__("shape", [-3]), "header is damaged"),
        (lambda header: header["head.bias"].__setitem__("dtype", "X9"), "header is damaged"),
        (
            lambda header: header.__setitem__("head.other", header.pop("head.bias")),
            "1 weights are missing .*do not belong",
        ),
    ],
)
def test_a_damaged_or_foreign_description_is_explained(model_path, change, said):
    with_header(model_path, change)
    with pytest.raises(ModelError, match=said) as caught:
        load_model(model_path)
    assert caught.value.reason.endswith(".")


def test_weights_that_are_no_numbers_are_refused_both_ways(model_path, network, tmp_path):
    header, body = header_of(model_path)
    begin, _ = header["head.bias"]["data_offsets"]
    start = len(model_path.read_bytes()) - len(body) + begin
    content = bytearray(model_path.read_bytes())
    content[start : start + 4] = struct.pack("<f", float("nan"))
    model_path.write_bytes(content)
    with pytest.raises(ModelError, match=r"head\.bias holds values that are no numbers"):
        load_model(model_path)
    with torch.no_grad():
        network.head.bias[0] = float("inf")
    target = tmp_path / "new.safetensors"
    args = {"name": "n", "network": "compact3d", "labels": LABELS, "preprocessing": PREPROCESSING}
    with pytest.raises(ModelError, match="no numbers"):
        save_model(target, network, **args, network_args=SMALL)
    assert not target.exists()


def test_a_failed_save_leaves_the_old_model_and_no_rest(model_path, network, monkeypatch):
    before = model_path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    args = {"name": "n", "network": "compact3d", "labels": LABELS, "preprocessing": PREPROCESSING}
    with pytest.raises(OSError, match="No space"):
        save_model(model_path, network, **args, network_args=SMALL)
    assert model_path.read_bytes() == before
    assert [path.name for path in model_path.parent.iterdir()] == [model_path.name]


def test_labels_that_do_not_fit_the_network_are_not_saved(network, tmp_path):
    with pytest.raises(ModelError, match="3 labels apart"):
        save_model(
            tmp_path / "x.safetensors",
            network,
            name="x",
            network="compact3d",
            network_args=SMALL,
            labels=["a", "b"],
            preprocessing=PREPROCESSING,
        )
