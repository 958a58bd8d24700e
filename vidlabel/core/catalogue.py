"""The published models that can be installed: what each is, from where, how large and how good. No torch.

The facts lie in ``resources/models/catalogue.json``. Nothing there is an address: of torchvision's weights
the address is in torchvision's own weights enum, of the others the hub's name of the repository is given.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from vidlabel.core.errors import ModelError
from vidlabel.core.resources import resource_path

Origin = Literal["torchvision", "hugging-face"]
Classes = Literal["kinetics400", "hmdb51"]


@dataclass(frozen=True, kw_only=True)
class PublishedScore:
    """An accuracy as somebody published it; nobody measured it here.

    Attributes:
        on: the data set, such as ``"Kinetics-400"``.
        top1: share right first, in 0..1.
        top5: share right among the first five, in 0..1, or None where it was not published.
        source: who says so and under which conditions, in words fit to be shown.
    """

    on: str
    top1: float
    top5: float | None
    source: str


@dataclass(frozen=True, kw_only=True)
class PublishedModel:
    """One model that can be installed.

    Attributes:
        name: what ``vidlabel models install`` takes.
        title: its name for people.
        summary: one sentence: what it is.
        when: one or two sentences: when to choose it.
        network: its name in ``ml.networks``.
        network_args: JSON values for ``ml.networks.build``.
        origin: where it is published.
        weights: torchvision's ``Enum.MEMBER``, empty for other origins.
        repository: the hub's ``owner/name``, empty for torchvision.
        file: the file's published name; empty where the installer has to list the repository.
        sha256_start: the first hex digits of the file's SHA-256, which torchvision puts into its name; may
            be empty.
        download_bytes: about how large the file is (torchvision publishes it to a thousandth of a MiB).
        download_exact: whether that size was published; otherwise it follows from the parameters.
        parameters: how many numbers the network as published has.
        gmacs: billions of multiply-adds for one clip of this input, as measured by ``ml.networks.cost``.
        published_gflops: the number torchvision's page calls GFLOPS: multiply-adds, too, and for some networks
            for a shorter clip than the accuracy was measured with; None where nothing was published.
        preprocessing: JSON values of ``ml.preprocess.Preprocessing``: what the weights were made for.
        frame_rate: frames a second that the weights were made for, or None where it is not in seconds.
        classes: what its head tells apart; of ``"kinetics400"`` the labels follow by the written table.
        trained_on: the data, in words.
        licence: of the weights, in words.
        scores: as published, none of them measured here.
        notes: what a person should know before relying on it.
    """

    name: str
    title: str
    summary: str
    when: str
    network: str
    network_args: Mapping[str, Any]
    origin: Origin
    weights: str
    repository: str
    file: str
    sha256_start: str
    download_bytes: int
    download_exact: bool
    parameters: int
    gmacs: float
    published_gflops: float | None
    preprocessing: Mapping[str, Any]
    frame_rate: float | None
    classes: Classes
    trained_on: str
    licence: str
    scores: tuple[PublishedScore, ...]
    notes: tuple[str, ...]

    @property
    def frames(self) -> int:
        """Pictures a clip."""
        return int(self.preprocessing["frames"])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the network's input in px."""
        return int(self.preprocessing["width"]), int(self.preprocessing["height"])

    @property
    def span_s(self) -> float | None:
        """Seconds of the clip's middle that are looked at, or None for all of it."""
        return cast("float | None", self.preprocessing.get("span_s"))


def published_models() -> tuple[PublishedModel, ...]:
    """All that can be installed, in the order in which to show it.

    ``VIDLABEL_CATALOGUE`` names another list of the same form, for a site that publishes models of its own.

    Raises:
        MissingResourceError: the list is not there, so the installation is damaged.
        ModelError: the list that ``VIDLABEL_CATALOGUE`` names cannot be read.
    """
    own = os.environ.get("VIDLABEL_CATALOGUE")
    if not own:
        return _read(resource_path("models/catalogue.json"))
    try:
        return _read(Path(own))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            own, f"this list of models cannot be read ({error}). Unset VIDLABEL_CATALOGUE."
        ) from error


@cache
def _read(path: Path) -> tuple[PublishedModel, ...]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return tuple(_model(entry) for entry in content["models"])


def published_model(name: str) -> PublishedModel:
    """The published model of this name, or of this repository on the hub, with or without its owner.

    Raises:
        ModelError: there is none; the message lists those there are.
    """
    for model in published_models():
        if name and name in (model.name, model.repository, model.repository.rpartition("/")[2]):
            return model
    known = ", ".join(model.name for model in published_models())
    raise ModelError(name, f"no published model has this name. To be had are: {known}.")


def _model(entry: Mapping[str, Any]) -> PublishedModel:
    values = dict(entry)
    scores = tuple(PublishedScore(**score) for score in values.pop("scores"))
    return PublishedModel(**{**values, "scores": scores, "notes": tuple(values["notes"])})
