"""Where in the clip on screen the model sees its first suggestion, while the person wants to know."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.words import ClipRow, Suggestion
from vidlabel.services.deciding import Deciding
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.playback import Player
from vidlabel.services.suggesting import Suggesting

BLIND = "Blind mode: what the model sees is hidden, too."
NO_MODEL = "No model is loaded yet; it shows where it looks once it is."
NOTHING_YET = "No suggestion for this clip yet: there is nothing to show the reason for."


@dataclass(frozen=True, slots=True)
class SaliencyMaps:
    """What is laid over a clip: ``maps`` are ``height`` rows of ``width`` bytes each, 255 where most spoke for it.

    ``times`` are the moments in µs that they stand for; ``region`` the part of the picture they lie over: left,
    top, width, height in 0..1.
    """

    clip_id: int
    label: str
    times: tuple[int, ...]
    width: int
    height: int
    region: tuple[float, float, float, float]
    maps: tuple[bytes, ...]

    def around(self, time_us: int) -> tuple[int, int, float]:
        """The maps before and after a moment, and how far it is from one to the other, 0..1."""
        after = next((index for index, time in enumerate(self.times) if time > time_us), len(self.times))
        if after == 0 or after == len(self.times):
            edge = min(after, len(self.times) - 1)
            return edge, edge, 0.0
        start, end = self.times[after - 1], self.times[after]
        return after - 1, after, (time_us - start) / (end - start)


class Saliency(QObject):
    """Off until the person asks; then it follows the clip on screen. The engine computes, nothing here waits."""

    changed = Signal(object)
    """SaliencyMaps for the clip on screen, or None."""
    on_changed = Signal(bool)
    refused = Signal(str)
    """Why there is none, in words."""

    def __init__(
        self,
        engine: EngineClient,
        player: Player,
        deciding: Deciding,
        *,
        suggesting: Suggesting,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._deciding = deciding
        self._suggesting = suggesting
        self._row: ClipRow | None = None
        self._on = False
        self._request: int | None = None
        self._wanted: tuple[int, str] | None = None
        self._maps: SaliencyMaps | None = None
        player.first_frame_painted.connect(self._on_painted)
        player.cleared.connect(self._on_cleared)
        deciding.suggestions_changed.connect(self._on_suggestions)
        suggesting.model_ready.connect(self._on_model)
        engine.message_received.connect(self._on_message)
        engine.crashed.connect(self._on_crashed)

    @property
    def on(self) -> bool:
        return self._on

    @property
    def maps(self) -> SaliencyMaps | None:
        """What lies over the clip on screen now."""
        return self._maps

    def toggle(self) -> None:
        """Shows the maps, or hides them again."""
        self._on = not self._on
        self.on_changed.emit(self._on)
        if self._on and self._row is not None and self._target() is None:
            self.refused.emit(BLIND if self._deciding.blind else NOTHING_YET)
        elif self._on and self._suggesting.model_hash is None:
            self.refused.emit(NO_MODEL)
        self._ask()

    # --- what to show ----------------------------------------------------------------------------
    def _target(self) -> tuple[int, str] | None:
        """Clip and label: that of the first suggestion on screen."""
        suggestion = self._deciding.suggestion
        if self._row is None or suggestion is None or not suggestion.scores:
            return None
        if suggestion.clip_id != self._row.clip_id:
            return None
        return self._row.clip_id, suggestion.scores[0].label

    def _ask(self) -> None:
        loaded = self._suggesting.model_hash is not None
        target = self._target() if self._on and loaded else None
        if target == self._wanted:
            return
        self._give_up()
        self._wanted = target
        if self._maps is not None:
            self._show(None)
        if target is None or self._row is None:
            return
        row = self._row
        self._request = self._engine.request_id()
        clip = m.WantedClip(clip_id=row.clip_id, path=row.path, start_us=row.start_us, end_us=row.end_us)
        self._engine.send(m.ShowSaliency(request=self._request, clip=clip, label=target[1]))

    def _give_up(self) -> None:
        if self._request is not None:
            self._engine.send(m.Cancel(request=self._request))
            self._request = None

    def _show(self, maps: SaliencyMaps | None) -> None:
        self._maps = maps
        self.changed.emit(maps)

    # --- what happens ----------------------------------------------------------------------------
    @Slot(object)
    def _on_painted(self, row: ClipRow) -> None:
        self._row = row
        self._ask()

    @Slot()
    def _on_cleared(self) -> None:
        self._row = None
        self._ask()

    @Slot(object)
    def _on_suggestions(self, _suggestion: Suggestion | None) -> None:
        self._ask()

    @Slot(str, str)
    def _on_model(self, _name: str, _device: str) -> None:
        self._ask()

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if getattr(message, "request", None) != self._request or self._request is None:
            return
        if isinstance(message, m.SaliencyReady):
            self._request = None
            if self._wanted == (message.clip_id, message.label):
                self._show(_maps(message))
        elif isinstance(message, m.JobFailed):
            self._request = None
            self.refused.emit(message.reason)

    @Slot(str, object)
    def _on_crashed(self, _words: str, _suspects: object) -> None:
        # The next clip asks again: this one may be what the engine died of.
        self._request = None


def _maps(message: m.SaliencyReady) -> SaliencyMaps:
    values, size = base64.b64decode(message.values), message.width * message.height
    return SaliencyMaps(
        clip_id=message.clip_id, label=message.label, times=message.times, width=message.width,
        height=message.height, region=message.region,
        maps=tuple(values[start : start + size] for start in range(0, len(values), size)),
    )  # fmt: skip
