"""From a finished sweep to clips in the queue: what the curves propose, its frames from the engine, and the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from vidlabel.core import messages as m
from vidlabel.core.sweeps import ProposedClip, Sweep
from vidlabel.core.words import ClipRow
from vidlabel.services import sweep_jobs
from vidlabel.services.engine_client import EngineClient
from vidlabel.services.project import ProjectSession
from vidlabel.services.sweep_jobs import ToSweep
from vidlabel.services.tasks import Rank


@dataclass(frozen=True, slots=True)
class _Unframed:
    """Proposals whose frames the engine is to tell."""

    clip: ClipRow
    sweep: Sweep
    proposed: tuple[ProposedClip, ...]


class Proposing(QObject):
    """Any number of sweeps at a time, mostly one. ``on_screen`` answers the clip that must stay as it is."""

    proposed = Signal(str, int)
    """The name of the video and how many clips are proposed in it now."""
    failed = Signal(str)
    """What went wrong: which file, what to do."""

    def __init__(
        self,
        engine: EngineClient,
        session: ProjectSession,
        *,
        on_screen: Callable[[], ClipRow | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._session = session
        self._on_screen = on_screen
        self._under_way = 0
        self._unframed: dict[int, _Unframed] = {}
        engine.message_received.connect(self._on_message)
        engine.ready.connect(self._on_engine_ready)

    @property
    def busy(self) -> bool:
        """Whether proposals of a sweep are still on their way to the disk."""
        return self._under_way != 0

    def propose(self, wish: ToSweep) -> None:
        """Proposes clips from a finished sweep; ``proposed`` or ``failed`` follows."""
        self._under_way += 1
        self._session.read(
            partial(sweep_jobs.proposals, wish.sweep, wish.clip),
            partial(self._on_proposals, wish),
            self._on_trouble,
        )

    def forget(self) -> None:
        """The project is closed."""
        self._unframed.clear()
        self._under_way = 0

    def _on_proposals(self, wish: ToSweep, proposed: tuple[ProposedClip, ...]) -> None:
        unframed = _Unframed(wish.clip, wish.sweep, proposed)
        if proposed and self._engine.pid:
            self._ask_frames(unframed)
        else:
            self._write(unframed)

    def _ask_frames(self, unframed: _Unframed) -> None:
        request = self._engine.request_id()
        self._unframed[request] = unframed
        times = tuple((clip.start_us, clip.end_us) for clip in unframed.proposed)
        self._engine.send(m.FindFrames(request=request, path=unframed.clip.path, times=times))

    @Slot(object)
    def _on_message(self, message: m.Message) -> None:
        if isinstance(message, m.FramesFound):
            self._on_frames(message)
        elif isinstance(message, m.JobFailed) and self._unframed.pop(message.request, None) is not None:
            self._under_way -= 1

    def _on_frames(self, found: m.FramesFound) -> None:
        unframed = self._unframed.pop(found.request, None)
        if unframed is not None:
            clips = zip(unframed.proposed, found.frames, strict=True)
            self._write(
                replace(unframed, proposed=tuple(replace(clip, frames=frames) for clip, frames in clips))
            )

    @Slot()
    def _on_engine_ready(self) -> None:
        waiting, self._unframed = self._unframed, {}
        for unframed in waiting.values():
            self._ask_frames(unframed)

    def _write(self, unframed: _Unframed) -> None:
        row = self._on_screen()
        keep = frozenset() if row is None else frozenset({row.clip_id})
        self._session.write(
            partial(sweep_jobs.propose, unframed.sweep, unframed.proposed, keep),
            partial(self._on_written, unframed.clip.name, len(unframed.proposed)),
            self._on_trouble,
            rank=Rank.ENGINE,
        )

    def _on_written(self, name: str, count: int, _changes: object) -> None:
        self._under_way -= 1
        self.proposed.emit(name, count)

    def _on_trouble(self, words: str) -> None:
        self._under_way -= 1
        self.failed.emit(words)
