"""A model as an ONNX graph, checked against torch's answers before it is put in place.

Input ``clip``: float32 (batch, 3, frames, height, width), red first, ``(pixel / 255 - mean) / std``. Outputs
``logits`` (batch, labels), whose softmax are the probabilities, and ``embedding`` (batch, size). The batch may be of
any size. Name, hash, labels, preprocessing and licence are in the graph's metadata.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import ModelError
from vidlabel.ml.files import write_whole

if TYPE_CHECKING:
    import torch

    from vidlabel.ml.modelfile import LoadedModel

NEEDED = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-3
"""How far a probability of the graph may be from torch's; rounding alone stays a thousand times below."""

_OUTPUTS = ("logits", "embedding")
_OPSET = 18
# All that torch's exporters raise for a network they cannot express (OnnxExporterError is a RuntimeError).
_FAILS = (RuntimeError, TypeError, ValueError, AttributeError, ImportError)
_LARGEST = 2_000_000_000  # A protobuf, which a graph in one file is, ends at 2 GiB.


def export_onnx(loaded: LoadedModel, out: Path, *, say: Callable[[str], None] = lambda words: None) -> float:
    """Writes the graph, whole or not at all.

    Args:
        loaded: the model.
        out: the file to make or replace.
        say: told what is being done.

    Returns:
        The largest difference between a probability of the graph and torch's, over batches of one and of three.

    Raises:
        ModelError: the packages for it are not installed, torch cannot express the network, or the graph's answers
            differ from torch's by more than ``TOLERANCE``.
        OSError: the file cannot be written.
    """
    name = loaded.info.name
    missing = [package for package in NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        raise ModelError(
            name,
            f"writing ONNX needs {', '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed. Install it with: pip install 'vidlabel[onnx]'.",
        )
    if sum(value.nbytes for value in loaded.module.state_dict().values()) > _LARGEST:
        raise ModelError(name, "its weights are too large for one ONNX file. Export safetensors instead.")
    with tempfile.TemporaryDirectory(prefix="vidlabel-onnx-") as folder:
        path = Path(folder) / "model.onnx"
        reason = ""
        for write in (_traced, _captured):
            say("making the graph")
            try:
                write(loaded, path)
            except _FAILS as error:
                reason = f"torch cannot express {loaded.info.network} as ONNX ({_first_line(error)})"
                continue
            _describe(loaded, path)
            say("checking it against torch")
            difference = _difference(loaded, path)
            if difference <= TOLERANCE:
                write_whole(out, path.read_bytes())
                say(f"its probabilities differ from torch's by at most {difference:.1e}")
                return difference
            reason = f"the graph answers otherwise than torch (by up to {difference:.2g} of a probability)"
    raise ModelError(name, f"{reason}, so it was not written. Export safetensors instead.")


def _answering(loaded: LoadedModel) -> torch.nn.Module:
    from torch import nn

    class Answering(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = loaded.module

        def forward(self, clip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.network.embed(clip)

    return Answering().eval()


def _traced(loaded: LoadedModel, path: Path) -> None:
    """By torch's older exporter, first because it takes seconds where the newer takes minutes.

    Raises:
        RuntimeError, TypeError, ValueError, AttributeError: torch cannot, or no longer has it.
    """
    import torch

    axes = {name: {0: "batch"} for name in ("clip", *_OUTPUTS)}
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            _answering(loaded),
            (torch.from_numpy(_clips(loaded, 2)),),
            str(path),
            dynamo=False,
            input_names=["clip"],
            output_names=list(_OUTPUTS),
            dynamic_axes=axes,
            opset_version=_OPSET,
        )


def _captured(loaded: LoadedModel, path: Path) -> None:
    """By the exporter that torch goes on with.

    Raises:
        RuntimeError, TypeError, ValueError, AttributeError: torch cannot.
    """
    import torch

    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            _answering(loaded),
            # A batch of two: one alone is taken for a constant.
            (torch.from_numpy(_clips(loaded, 2)),),
            dynamo=True,
            input_names=["clip"],
            output_names=list(_OUTPUTS),
            dynamic_shapes={"clip": {0: torch.export.Dim.DYNAMIC}},
            verbose=False,
        )
        assert program is not None
        program.save(str(path), external_data=False)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _describe(loaded: LoadedModel, path: Path) -> None:
    import onnx

    info = loaded.info
    graph = onnx.load(str(path))
    about = {
        "name": info.name,
        "hash": info.hash,
        "labels": json.dumps(list(info.labels), ensure_ascii=False),
        "preprocessing": json.dumps(info.preprocessing.to_json()),
        "license": info.license,
    }
    onnx.helper.set_model_props(graph, about)
    onnx.save(graph, str(path))


def _difference(loaded: LoadedModel, path: Path) -> float:
    """The largest difference of a probability, over batches of one and of three."""
    import numpy as np
    import onnxruntime  # type: ignore[import-untyped]
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    largest = 0.0
    for size in (1, 3):
        clips = _clips(loaded, size)
        with torch.inference_mode():
            wanted = torch.softmax(loaded.module(torch.from_numpy(clips)), dim=1).numpy()
        found = torch.softmax(torch.from_numpy(session.run(["logits"], {"clip": clips})[0]), dim=1).numpy()
        largest = max(largest, float(np.abs(wanted - found).max()))
    return largest


def _clips(loaded: LoadedModel, count: int) -> Any:
    import numpy as np

    p = loaded.info.preprocessing
    shape = (count, 3, p.frames, p.height, p.width)
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


@contextmanager
def _quiet() -> Iterator[None]:
    """Both exporters warn of what they do themselves, and log to the terminal."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
