"""The networks vidlabel knows by name. A model file stores the name and the arguments, never code."""

from vidlabel.ml.networks.cost import Cost, cost
from vidlabel.ml.networks.embedder import Embedder
from vidlabel.ml.networks.registry import build, names

__all__ = ["Cost", "Embedder", "build", "cost", "names"]
