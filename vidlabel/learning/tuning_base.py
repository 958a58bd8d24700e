"""The network a run starts with: the base's trunk, and a head for the snapshot's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidlabel.core.errors import ModelError
from vidlabel.learning.run_order import RunOrder
from vidlabel.ml.modelfile import ModelInfo

if TYPE_CHECKING:
    from vidlabel.ml.modelfile import LoadedModel
    from vidlabel.ml.networks import Embedder


@dataclass(frozen=True)
class Begun:
    """A network about to be tuned.

    Attributes:
        base: the model it comes from, untouched.
        network: float32, on the CPU.
        kept_head: whether its head is the base's, because that tells the same labels apart.
    """

    base: ModelInfo
    network: Embedder
    kept_head: bool


def load_base(order: RunOrder) -> LoadedModel:
    """The model to start from.

    Raises:
        ModelError: it is gone, damaged, or another than when the run was begun.
    """
    from vidlabel.ml.modelfile import load_model

    loaded = load_model(order.base_path)
    if order.base_hash and loaded.info.hash != order.base_hash:
        raise ModelError(
            order.base_name or str(order.base_path),
            "its file is another than when the run was begun. Put the former one back, or begin a new run.",
        )
    return loaded


def begin(loaded: LoadedModel, labels: Sequence[str], *, seed: int) -> Begun:
    """A network for these labels; changes the loaded module.

    The head is kept if the base tells all of these labels apart by itself: a base that knows more, or in another
    order, gives the rows that are wanted. Otherwise it is replaced by one that knows nothing yet.
    """
    import torch

    info, network = loaded.info, loaded.module
    known = {label: row for row, label in enumerate(info.labels)}
    kept = info.grouping is None and all(label in known for label in labels)
    old = network.head
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network.replace_head(len(labels))
    if kept:
        rows = [known[label] for label in labels]
        with torch.no_grad():
            network.head.weight.copy_(old.weight[rows])
            network.head.bias.copy_(old.bias[rows])
    return Begun(info, network, kept)
