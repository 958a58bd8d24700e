"""Import and export of models: real files in, real files out, and nothing in a file is ever run."""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import get_model

from tests.ml.conftest import LABELS, PREPROCESSING, SMALL
from vidlabel.core.errors import ModelError
from vidlabel.ml import kinetics
from vidlabel.ml.convert import export_model, import_model, to_model_file
from vidlabel.ml.modelfile import load_model, read_info
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.published import hmdb51_labels
from vidlabel.ml.recognise import recognise
from vidlabel.ml.statedict import read_state, tensors_of

TINY = Preprocessing(frames=2, height=16, width=16)


@pytest.fixture(scope="module")
def mc3():
    """torchvision's network for 51 labels, small enough to be saved many times."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return get_model("mc3_18", weights=None, num_classes=51).eval()


@pytest.fixture(scope="module")
def s3d():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return get_model("s3d", weights=None).eval()


def answers(info, x):
    with torch.inference_mode():
        return load_model(info.path).module(x)


def saved(path, content):
    torch.save(content, path)
    return path


# --- what comes in -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {f"module.{key}": value for key, value in state.items()},
        lambda state: {f"module.backbone.{key}": value for key, value in state.items()},
        lambda state: {"epoch": 3, "state_dict": {f"model.{key}": value for key, value in state.items()}},
        lambda state: {
            "model_state_dict": {f"backbone.{key}": value for key, value in state.items()},
            "config": {"num_classes": 51, "model_name": "mc3_18"},
        },
        lambda state: {
            key.replace("fc.", "classifier.") if key.startswith("fc.") else f"backbone.{key}": value
            for key, value in state.items()
        },
    ],
)
def test_weights_are_known_whatever_stands_before_their_names(mc3, wrap):
    found = recognise("w", tensors_of("w", wrap(mc3.state_dict())))
    assert (found.network, found.classes) == ("mc3_18", 51)
    assert torch.equal(found.state["head.weight"], mc3.fc.weight)
    assert torch.equal(found.state["trunk.stem.0.weight"], mc3.stem[0].weight)


def test_an_imported_model_answers_as_before_and_lies_under_its_hash(tmp_path, mc3):
    path = saved(tmp_path / "w.pth", {f"backbone.{key}": value for key, value in mc3.state_dict().items()})
    info = import_model(path, tmp_path / "models", name="mine", license="MIT")
    x = torch.rand(1, 3, 4, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(answers(info, x), mc3(x), rtol=1e-4, atol=1e-5)
    assert (info.network, info.labels) == ("mc3_18", hmdb51_labels())
    assert import_model(path, tmp_path / "models", name="mine", license="MIT") == info
    assert info.path == tmp_path / "models" / f"{info.hash}.safetensors"
    assert info.hash == hashlib.sha256(info.path.read_bytes()).hexdigest()
    assert (info.name, info.license) == ("mine", "MIT")
    assert [one.name for one in (tmp_path / "models").iterdir()] == [info.path.name]


def test_the_legacy_format_and_half_weights_and_safetensors_come_in_alike(tmp_path, mc3):
    state = mc3.state_dict()
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "new.safetensors")
    half = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    saved(tmp_path / "half.bin", half)
    for name in ("old.pth", "new.safetensors"):
        found = read_state(tmp_path / name)
        assert set(found) == set(state) and all(torch.equal(found[key], state[key]) for key in state)
    found = read_state(tmp_path / "half.bin")
    assert found["fc.weight"].dtype == torch.float32
    torch.testing.assert_close(found["fc.weight"], state["fc.weight"], atol=1e-3, rtol=1e-3)


def test_what_was_assumed_is_on_the_card(tmp_path, mc3):
    info = import_model(saved(tmp_path / "w.pth", mc3.state_dict()), tmp_path / "models")
    limits = " ".join(info.card["limits"])
    assert "order of the alphabet" in limits and "prepared" in limits and "16 frames of 112x112 px" in limits
    assert "was not stated" in info.card["summary"] and info.card["scores"] == []
    assert info.card["parameters"] == 11_516_403 and info.card["gmacs"] == pytest.approx(43.342)
    given = Preprocessing(frames=8, height=112, width=112)
    said = import_model(
        saved(tmp_path / "w.pth", mc3.state_dict()),
        tmp_path / "models",
        labels=[f"label {number}" for number in range(51)],
        preprocessing=given,
    )
    assert said.preprocessing == given and said.labels[50] == "label 50"
    assert said.card["limits"] == []


def test_a_head_of_400_classes_suggests_the_labels_that_they_mean(tmp_path, s3d):
    info = import_model(saved(tmp_path / "s3d.pth", s3d.state_dict()), tmp_path / "models")
    assert info.network == "s3d" and info.labels == kinetics.suggestible()
    assert info.grouping is not None and len(info.grouping.classes) == 400
    assert info.card["cannot_suggest"] == list(kinetics.without_counterpart())
    x = torch.rand(1, 3, 16, 64, 64)
    module = load_model(info.path).module
    with torch.inference_mode():
        logits, embedding = module.embed(x)
        classes = module.head(embedding)
        assert logits.shape == (1, len(info.labels)) and module.labels == len(info.labels)
        assert torch.equal(module.read(embedding), logits)
        shares, outside = torch.softmax(classes, 1), module.outside(embedding)
        named = sum(sum(shares[0, list(group)].tolist()) for group in info.grouping.groups)
    # Classes of two labels are counted twice in `named`, so it is at least what is not outside.
    assert 0 < float(outside) < 1 and named >= 1 - float(outside) - 1e-6


def test_names_for_all_400_classes_are_taken_as_they_are(tmp_path, s3d):
    named = [f"class {number}" for number in range(400)]
    info = import_model(saved(tmp_path / "s.pth", s3d.state_dict()), tmp_path / "m", labels=named)
    assert info.labels == tuple(named) and info.grouping is None


def test_a_published_models_weights_become_its_model(tmp_path, s3d):
    info = to_model_file("s3d", saved(tmp_path / "s3d.pth", s3d.state_dict()), tmp_path / "out.safetensors")
    assert info.name == "s3d" and info.card["published"] == "s3d" and info.license.startswith("BSD-3-Clause")
    assert info.preprocessing.frames == 128 and info.preprocessing.squash_to == (256, 256)
    assert info.labels == kinetics.suggestible()


def test_the_hubs_weights_become_a_model_of_all_51(tmp_path, mc3):
    state = {f"backbone.{key}": value for key, value in mc3.state_dict().items()}
    info = to_model_file("mc3_18_hmdb51", state, tmp_path / "out.safetensors", revision="1a2b")
    assert info.labels == hmdb51_labels() and info.grouping is None
    assert info.preprocessing.frames == 8 and info.card["revision"] == "1a2b"


def test_published_weights_with_another_head_are_refused(tmp_path, mc3):
    with pytest.raises(ModelError, match="51 classes apart, but mc3_18 was published for 400"):
        to_model_file("mc3_18", mc3.state_dict(), tmp_path / "out.safetensors")
    with pytest.raises(ModelError, match=r"not those of r3d_18.*another shape"):
        to_model_file("r3d_18", mc3.state_dict(), tmp_path / "out.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_our_own_file_comes_in_as_it_is(tmp_path, model_path):
    info = import_model(model_path, tmp_path / "models")
    assert info.hash == read_info(model_path).hash and info.name == "small"
    renamed = import_model(model_path, tmp_path / "models", name="other")
    assert renamed.name == "other" and renamed.labels == LABELS and renamed.created == info.created
    with pytest.raises(ModelError, match="brings its own labels"):
        import_model(model_path, tmp_path / "models", labels=["a", "b", "c"])


def test_a_recurrent_network_of_another_size_is_known(tmp_path):
    network = build("resnet18_lstm", labels=51, hidden=24, both_ways=True)
    path = saved(tmp_path / "r.pt", network.state_dict())
    info = import_model(path, tmp_path / "m", preprocessing=TINY)
    assert info.network_args == {"hidden": 24, "both_ways": True}
    with pytest.raises(ModelError, match="nothing says how clips are prepared"):
        import_model(path, tmp_path / "m")


# --- what is refused ---------------------------------------------------------------------------------
class _Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors", ".jpg"])
@pytest.mark.parametrize("form", ["pickle", "zip", "legacy"])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path, suffix, form):
    path, ran = tmp_path / f"weights{suffix}", tmp_path / "ran"
    content = {"fc.weight": torch.zeros(51, 8), "bomb": _Bomb(ran)}
    if form == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(ModelError, match=r"can run code|no state dict") as caught:
        import_model(path, tmp_path / "models")
    assert caught.value.reason.endswith(".")
    assert not ran.exists() and not (tmp_path / "models").exists()


def test_a_whole_pickled_network_is_refused_with_what_to_do(tmp_path, mc3):
    with pytest.raises(ModelError, match=r"holds more than weights .*state_dict\(\)"):
        import_model(saved(tmp_path / "m.pt", mc3), tmp_path / "models")


def test_a_torchscript_program_is_refused(tmp_path):
    class Half(torch.nn.Module):
        def forward(self, x):
            return x / 2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch is about to leave TorchScript; its files stay about.
        traced = torch.jit.trace(Half(), torch.zeros(1))
        torch.jit.save(traced, str(tmp_path / "m.pt"))
    with pytest.raises(ModelError, match="TorchScript program"):
        import_model(tmp_path / "m.pt", tmp_path / "models")


def _zip(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b""), "neither safetensors nor"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" * 9), "neither safetensors nor"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + b"\0" * 99), "damaged or incomplete archive"),
        (lambda path: _zip(path, ["video.mp4"]), "not one of PyTorch's"),
        (lambda path: _zip(path, ["archive/data.pkl"]), "damaged"),
        (lambda path: path.write_bytes(pickle.dumps([1, 2])), "pickled file, but no state dict"),
        (lambda path: torch.save([torch.zeros(1)], path), "a list and no weights by name"),
        (lambda path: torch.save(torch.zeros(3), path), "a Tensor and no weights by name"),
        (lambda path: torch.save({"a": 1, "b": "c"}, path), "only 'a', 'b'"),
        (lambda path: torch.save({}, path), "only nothing"),
        (lambda path: torch.save({"fc.weight": torch.zeros(2, 2).to_sparse()}, path), "sparse"),
        (lambda path: torch.save({"fc.weight": torch.zeros(2, 2, dtype=torch.cfloat)}, path), "complex"),
        (lambda path: torch.save({"fc.weight": torch.zeros(51, 8)}, path), "of none of the networks"),
        (lambda path: torch.save({"a.weight": torch.zeros(5, 8)}, path), "of none of the networks"),
    ],
)
def test_other_files_are_refused_with_words(tmp_path, make, said):
    path = tmp_path / "w.pt"
    make(path)
    with pytest.raises(ModelError, match=said) as caught:
        import_model(path, tmp_path / "models")
    assert str(path) in str(caught.value) and not (tmp_path / "models").exists()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.pt: there is no such file"):
        import_model(tmp_path / "gone.pt", tmp_path)


@pytest.mark.parametrize("part", [0.01, 0.5, 0.99])
def test_a_download_cut_short_is_refused(tmp_path, mc3, part):
    path = saved(tmp_path / "w.pth", mc3.state_dict())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ModelError, match="damaged or incomplete"):
        import_model(path, tmp_path / "models")


def test_weights_that_are_no_numbers_are_refused(tmp_path, mc3):
    state = {key: value.clone() for key, value in mc3.state_dict().items()}
    state["layer3.0.conv1.0.weight"][0, 0, 0, 0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"layer3\.0\.conv1\.0\.weight holds values that are no numbers"):
        import_model(saved(tmp_path / "w.pth", state), tmp_path / "models")


@pytest.mark.parametrize(
    ("classes", "labels", "said"),
    [
        (7, None, "tells 7 classes apart, and nothing says which.*--labels"),
        (7, ["a", "b"], "7 classes apart, but 2 labels were given. Give the 7 names"),
        (51, ["a", "b"], "Give none to have them taken as HMDB51's 51"),
        (3, ["a", "b", "a"], "a label stands twice"),
    ],
)
def test_labels_that_do_not_fit_are_explained(tmp_path, mc3, classes, labels, said):
    state = dict(mc3.state_dict())
    state |= {"fc.weight": torch.zeros(classes, 512), "fc.bias": torch.zeros(classes)}
    with pytest.raises(ModelError, match=said):
        import_model(saved(tmp_path / "w.pth", state), tmp_path / "models", labels=labels)


def test_51_labels_for_a_head_of_400_are_refused_with_the_way_out(tmp_path, s3d):
    with pytest.raises(ModelError, match="Give none to have its classes taken as those of Kinetics-400"):
        import_model(saved(tmp_path / "w.pth", s3d.state_dict()), tmp_path, labels=hmdb51_labels())


def test_preprocessing_that_the_network_cannot_take_is_explained(tmp_path, s3d):
    with pytest.raises(ModelError, match="s3d: the network cannot take clips of 16 pictures of 8x8 px"):
        import_model(
            saved(tmp_path / "w.pth", s3d.state_dict()),
            tmp_path,
            preprocessing=Preprocessing(frames=16, height=8, width=8),
        )


def test_the_nearest_network_and_what_differs_are_named(tmp_path, mc3):
    state = dict(mc3.state_dict())
    del state["layer4.1.conv2.0.weight"]
    state["extra.weight"] = torch.zeros(2)
    path = saved(tmp_path / "w.pth", state)
    words = r"nearest is mc3_18: 1 weights are missing \(first trunk\.layer4\.1\.conv2\.0\.weight\); 1 weights do not"
    with pytest.raises(ModelError, match=words):
        import_model(path, tmp_path)
    with pytest.raises(ModelError, match="not those of mc3_18: 1 weights are missing"):
        import_model(path, tmp_path, network="mc3_18")
    with pytest.raises(ModelError, match="no network 'lstm' here"):
        import_model(path, tmp_path, network="lstm")


def test_weights_without_a_last_layer_are_refused(tmp_path, mc3):
    state = {key: value for key, value in mc3.state_dict().items() if not key.startswith("fc.")}
    with pytest.raises(ModelError, match="lack the last layer"):
        import_model(saved(tmp_path / "w.pth", state), tmp_path)


# --- what goes out -----------------------------------------------------------------------------------
def test_safetensors_go_out_as_the_model_file(tmp_path, model_path):
    out = export_model(read_info(model_path), tmp_path / "out.safetensors", kind="safetensors")
    assert out.read_bytes() == model_path.read_bytes()


def test_a_state_dict_goes_out_in_torchvisions_layout_and_comes_back(tmp_path, s3d):
    info = to_model_file("s3d", s3d.state_dict(), tmp_path / "s3d.safetensors")
    out = export_model(info, tmp_path / "out.pth", kind="state-dict")
    again = get_model("s3d", weights=None)
    again.load_state_dict(torch.load(out, weights_only=True), strict=True)
    assert all(torch.equal(value, s3d.state_dict()[key]) for key, value in again.state_dict().items())
    classes = (tmp_path / "out.pth.labels.txt").read_text(encoding="utf-8").splitlines()
    assert classes == list(info.grouping.classes)
    back = import_model(out, tmp_path / "m")
    x = torch.rand(1, 3, 16, 64, 64)
    assert back.labels == info.labels and torch.equal(answers(back, x), answers(info, x))


def test_our_networks_state_dict_comes_back(tmp_path, model_path):
    info = read_info(model_path)
    out = export_model(info, tmp_path / "out.pt", kind="state-dict")
    back = import_model(
        out,
        tmp_path / "m",
        network="compact3d",
        network_args=SMALL,
        labels=(tmp_path / "out.pt.labels.txt").read_text(encoding="utf-8").split(),
        preprocessing=PREPROCESSING,
    )
    x = torch.rand(1, 3, 4, 16, 16)
    assert back.labels == LABELS and torch.equal(answers(back, x), answers(info, x))


def test_a_file_of_numpy_arrays_is_refused(tmp_path):
    content = io.BytesIO()
    np.savez(content, weight=np.zeros(3))
    (tmp_path / "w.npz").write_bytes(content.getvalue())
    with pytest.raises(ModelError, match="not one of PyTorch's"):
        import_model(tmp_path / "w.npz", tmp_path)


def test_an_unknown_kind_is_refused(tmp_path, model_path):
    with pytest.raises(ModelError, match="Choose one of safetensors, state-dict, onnx"):
        export_model(read_info(model_path), tmp_path / "x", kind="keras")
