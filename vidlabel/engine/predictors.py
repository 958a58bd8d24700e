"""From a model's file and a person's wishes to the predictor that answers, and the one that goes on if it cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vidlabel.core.model_key import AUTO
from vidlabel.core.words import ONE_VIEW, Views

if TYPE_CHECKING:
    from vidlabel.ml.modelfile import LoadedModel
    from vidlabel.ml.predictor import Predictor


class Predictors:
    """The model is read once: what takes over later needs its file no more, which may be gone by then.

    torch is imported when the first predictor is made, and not before: that takes seconds, and it reads settings
    of the process then (``inference.wait_without_spinning``).

    Args:
        find: the model's file; asked when the first predictor is made.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        precision: one of ``core.model_key.PRECISIONS``.
        views: how clips are looked at.
    """

    def __init__(
        self,
        find: Callable[[], Path],
        *,
        device: str = "auto",
        precision: str = AUTO,
        views: Views = ONE_VIEW,
    ) -> None:
        self._find = find
        self._device = device
        self._precision = precision
        self._views = views
        self._loaded: LoadedModel | None = None

    def first(self) -> Predictor:
        """On the device asked for.

        Raises:
            ModelError: the model cannot be used.
            DeviceError: the device cannot.
        """
        from vidlabel.ml.modelfile import load_model

        self._loaded = load_model(self._find())
        return self._on(self._device)

    @property
    def fallback(self) -> Callable[[], Predictor] | None:
        """What makes the one that goes on when the device gives up; None where a person chose the device."""
        return (lambda: self._on("cpu")) if self._device == AUTO else None

    def _on(self, device: str) -> Predictor:
        from vidlabel.ml.devices import choose_device
        from vidlabel.ml.predictor import Predictor

        assert self._loaded is not None
        return Predictor(self._loaded, choose_device(device), precision=self._precision, views=self._views)
