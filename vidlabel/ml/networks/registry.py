"""From a network's name and arguments to the network."""

from __future__ import annotations

from typing import Any

from vidlabel.core.errors import ModelError
from vidlabel.ml.networks.compact import Compact3D
from vidlabel.ml.networks.embedder import Embedder
from vidlabel.ml.networks.motion import Motion3D
from vidlabel.ml.networks.two_stream import TwoStream

_TORCHVISION = (
    "r3d_18",
    "mc3_18",
    "r2plus1d_18",
    "s3d",
    "mvit_v1_b",
    "mvit_v2_s",
    "swin3d_t",
    "swin3d_s",
    "swin3d_b",
)


def names() -> tuple[str, ...]:
    """The networks that ``build`` knows, our own first."""
    return ("compact3d", "motion3d", "two_stream", "resnet18_lstm", *_TORCHVISION)


def build(name: str, *, labels: int, **args: Any) -> Embedder:
    """A network with fresh weights.

    Args:
        name: one of ``names()``.
        labels: how many labels the head tells apart.
        **args: the network's own arguments, as a model file stores them.

    Raises:
        ModelError: the name is unknown, or the arguments do not suit the network.
    """
    if name not in names():
        raise ModelError(name, f"there is no network of this name here. Known are {', '.join(names())}.")
    try:
        if name == "compact3d":
            return Compact3D(labels, **args)
        if name == "motion3d":
            return Motion3D(labels, **args)
        if name == "two_stream":
            motion = dict(args.pop("motion"))
            return TwoStream(labels, motion=build(motion["network"], labels=1, **motion["args"]), **args)
        if name == "resnet18_lstm":
            from vidlabel.ml.networks.recurrent import ResNetLstm

            return ResNetLstm(labels, **args)
        # torchvision takes half a second to import, and the bundled model does without it.
        from vidlabel.ml.networks.torchvision_video import TorchvisionVideo

        return TorchvisionVideo(name, labels, **args)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            name, f"the network cannot be built with {args} for {labels} labels: {error}."
        ) from error
