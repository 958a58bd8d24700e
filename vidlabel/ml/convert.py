"""Foreign weights to model files, and model files to what other programs read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from vidlabel.core.catalogue import PublishedModel, published_model
from vidlabel.core.errors import ModelError
from vidlabel.ml.files import write_whole
from vidlabel.ml.header import read_header
from vidlabel.ml.modelfile import ModelInfo, load_model, model_bytes, read_info
from vidlabel.ml.networks import Cost, cost
from vidlabel.ml.networks.layouts import to_torchvision
from vidlabel.ml.preprocess import Preprocessing
from vidlabel.ml.published import assumed_preprocessing, imported_card, labels_of, published_card
from vidlabel.ml.recognise import Recognised, recognise
from vidlabel.ml.statedict import read_state
from vidlabel.ml.weights import refuse_not_finite

if TYPE_CHECKING:
    import torch

ExportKind = Literal["safetensors", "state-dict", "onnx"]
EXPORT_KINDS: tuple[str, ...] = get_args(ExportKind)
Say = Callable[[str], None]


def to_model_file(
    name_or_entry: str | PublishedModel,
    state: Mapping[str, torch.Tensor] | Path,
    out: Path,
    *,
    labels: Sequence[str] | None = None,
    revision: str = "",
) -> ModelInfo:
    """Makes the model file of a published model from the weights that its publisher offers.

    Args:
        name_or_entry: which one, by name or as the catalogue has it.
        state: its weights, or the file that was downloaded (safetensors, or a state dict of PyTorch's).
        out: the file to make or replace.
        labels: in the order of the head's outputs, where they are not those the catalogue names.
        revision: of the repository it was fetched from, for the card.

    Raises:
        ModelError: the weights are not those of this model; the message says what was found and what was expected.
        OSError: the file cannot be written.
    """
    entry = name_or_entry if isinstance(name_or_entry, PublishedModel) else published_model(name_or_entry)
    source = str(state) if isinstance(state, Path) else entry.name
    tensors = read_state(state) if isinstance(state, Path) else state
    refuse_not_finite(source, tensors)
    found = recognise(source, tensors, network=entry.network, args=entry.network_args)
    expected = 400 if entry.classes == "kinetics400" else 51
    if labels is None and found.classes != expected:
        raise ModelError(
            source,
            f"it tells {found.classes} classes apart, but {entry.name} was published for {expected}. The repository "
            "may have changed; give its labels and import the file instead (`vidlabel models import`).",
        )
    named = labels_of(source, found.classes, given=labels)
    content = model_bytes(
        source,
        found.state,
        name=entry.name,
        network=found.network,
        network_args=found.args,
        labels=named.labels,
        preprocessing=Preprocessing.from_json(entry.preprocessing),
        card=published_card(entry, named, revision=revision),
        # The same download makes the same file, so that a project still knows a model that is installed again.
        created="",
        license=entry.licence,
        grouping=named.grouping,
    )
    write_whole(out, content)
    return read_info(out)


def import_model(
    path: Path,
    out_folder: Path,
    *,
    name: str | None = None,
    network: str | None = None,
    network_args: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
    preprocessing: Preprocessing | None = None,
    license: str = "",
) -> ModelInfo:
    """Makes a model of a file that somebody brings, and puts it into a folder under its hash.

    Args:
        path: a model file of vidlabel's, safetensors from elsewhere, or a state dict of PyTorch's. Its network is
            found by the shapes of its weights, whatever stands before their names.
        out_folder: where to put it; made where needed.
        name: what people shall call it; None takes the file's.
        network: one of ``networks.names()`` where it is known.
        network_args: the network's own arguments, where they are not the usual ones.
        labels: in the order of the head's outputs; without them 51 classes are taken to be HMDB51's, and 400 those
            of Kinetics-400 (see ``ml.kinetics``).
        preprocessing: how clips are prepared; None takes that of the network's published weights.
        license: of the weights.

    Raises:
        ModelError: it cannot become a model: damaged, more than weights, weights of no network here, infinite
            weights, labels or preprocessing that do not fit. The message says what to do.
        OSError: the folder cannot be written.
    """
    given = {
        "network": network,
        "labels": labels,
        "preprocessing": preprocessing,
        "network_args": network_args,
    }
    if _is_ours(path):
        content = _own_file(path, name=name, given=[key for key, value in given.items() if value is not None])
    else:
        tensors = read_state(path)
        refuse_not_finite(str(path), tensors)
        found = recognise(str(path), tensors, network=network, args=network_args)
        content = _foreign(
            path, found, name=name, labels=labels, preprocessing=preprocessing, license=license
        )
    out = out_folder / f"{hashlib.sha256(content).hexdigest()}.safetensors"
    write_whole(out, content)
    return read_info(out)


def export_model(info: ModelInfo, out: Path, *, kind: str, say: Say = lambda words: None) -> Path:
    """Writes a model for other programs, whole or not at all.

    Args:
        info: which model.
        out: the file to make or replace.
        kind: ``"safetensors"`` is the model file itself; ``"state-dict"`` is a plain dict of tensors in
            torchvision's own layout where the network is torchvision's, with a list of the head's classes beside it
            (``<out>.labels.txt``); ``"onnx"`` is a graph, checked against torch's answers.
        say: told what is being done, and for ONNX how far the two answers are apart.

    Returns:
        ``out``.

    Raises:
        ModelError: there is no such kind, the model cannot be used, ONNX is not installed, or the graph answers
            otherwise than torch.
        OSError: the file cannot be written.
    """
    if kind not in EXPORT_KINDS:
        raise ModelError(
            info.name, f"it cannot be written as {kind}. Choose one of {', '.join(EXPORT_KINDS)}."
        )
    if kind == "onnx":
        from vidlabel.ml.onnx_export import export_onnx

        export_onnx(load_model(info.path), out, say=say)
        return out
    loaded = load_model(info.path)
    if kind == "safetensors":
        write_whole(out, info.path.read_bytes())
        return out
    import torch

    content = io.BytesIO()
    torch.save(to_torchvision(info.network, loaded.module.state_dict()), content)
    classes = info.labels if info.grouping is None else info.grouping.classes
    write_whole(out.with_name(f"{out.name}.labels.txt"), "".join(f"{one}\n" for one in classes).encode())
    write_whole(out, content.getvalue())
    return out


def _is_ours(path: Path) -> bool:
    """Whether a file is a model file of vidlabel's; anything that is no safetensors file is not."""
    try:
        metadata = read_header(path).metadata
    except ModelError:
        return False
    return "format" in metadata and "network" in metadata


def _own_file(path: Path, *, name: str | None, given: Sequence[str]) -> bytes:
    if given:
        raise ModelError(
            str(path),
            f"it is a whole model of vidlabel's, which brings its own {' and '.join(given)}. Import it without.",
        )
    loaded = load_model(path)
    info = loaded.info
    if name is None or name == info.name:
        return path.read_bytes()
    return model_bytes(
        str(path),
        loaded.module.state_dict(),
        name=name,
        network=info.network,
        network_args=info.network_args,
        labels=info.labels,
        preprocessing=info.preprocessing,
        card=info.card,
        created=info.created,
        license=info.license,
        grouping=info.grouping,
    )


def _foreign(
    path: Path,
    found: Recognised,
    *,
    name: str | None,
    labels: Sequence[str] | None,
    preprocessing: Preprocessing | None,
    license: str,
) -> bytes:
    named = labels_of(str(path), found.classes, given=labels)
    notes = []
    if preprocessing is None:
        assumed = assumed_preprocessing(found.network, classes=found.classes)
        if assumed is None:
            raise ModelError(
                str(path),
                f"it holds weights of {found.network}, but nothing says how clips are prepared for it (frames, size, "
                "mean and deviation). Import the model file that vidlabel made of it instead.",
            )
        preprocessing, whose = assumed
        notes.append(
            f"How clips are prepared for it was not stated and is taken to be as for {whose}: "
            f"{_words(preprocessing)}. If it was trained otherwise it does worse than it could."
        )
    measured = _fitting(path, found, preprocessing)
    return model_bytes(
        str(path),
        found.state,
        name=name or path.stem,
        network=found.network,
        network_args=found.args,
        labels=named.labels,
        preprocessing=preprocessing,
        card=imported_card(
            path.name, named, notes=notes, gmacs=measured.gmacs, parameters=measured.parameters
        ),
        # The same file becomes the same model again, and of two with one name the later weights are meant.
        created=datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds"),
        license=license,
        grouping=named.grouping,
    )


def _fitting(path: Path, found: Recognised, preprocessing: Preprocessing) -> Cost:
    """The cost of the network for this preprocessing, which shows that it can take such clips."""
    try:
        return cost(found.network, preprocessing, labels=found.classes, **found.args)
    except ModelError as error:
        raise ModelError(str(path), f"{found.network}: {error.reason}") from error


def _words(preprocessing: Preprocessing) -> str:
    p = preprocessing
    over = "the whole clip" if p.span_s is None else f"{p.span_s:.2f} seconds"
    return f"{p.frames} frames of {p.width}x{p.height} px over {over}"
