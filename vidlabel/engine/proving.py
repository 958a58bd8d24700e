"""The proof at the end of a run: both models are asked about the frozen test clips, and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vidlabel.core.messages import WantedClip
from vidlabel.core.model_card import trained_on
from vidlabel.core.proof import Proof
from vidlabel.core.snapshot import Snapshot, SnapshotClip
from vidlabel.engine.measuring import measure
from vidlabel.learning.proof import BOUND, Contender, compared
from vidlabel.ml.modelfile import ModelInfo


def prove(
    active: ModelInfo,
    candidate: ModelInfo,
    snapshot: Snapshot,
    *,
    device: str = "auto",
    bound: float = BOUND,
    aliases: Mapping[str, str] | None = None,
    paths: Mapping[str, str] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_note: Callable[[str], None] = lambda words: None,
) -> Proof:
    """Measures both models on the snapshot's test clips. Nothing else of it is read.

    Args:
        active: the model that suggests now; its hash may be a key that says how it is asked.
        candidate: what the run made; asked as its own key says.
        snapshot: with a frozen test part.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        bound: recall a label may lose, 0..1.
        aliases: present name by former name of labels that were renamed.
        paths: where a video lies now, by content hash, if not where the snapshot says.
        should_stop: asked at least every tenth of a second.
        on_progress: told how many of how many answers are there; there are two a clip.
        on_note: told in words of what a person should know.

    Raises:
        StoppedError: ``should_stop`` answered true.
        ModelError: a model cannot be used.
        DeviceError: the device cannot be used, or gave up on the way.
        ValueError: the bound is not in 0..1.
    """
    clips = tuple(_wanted(clip, paths or {}) for clip in snapshot.of("test"))

    def contender(model: ModelInfo, *, before: int) -> Contender:
        answers = measure(
            model, clips, device=device, should_stop=should_stop, on_note=on_note,
            on_progress=lambda done: on_progress(before + done, 2 * len(clips)),
        )  # fmt: skip
        return Contender(
            model=model.name,
            hash=model.hash,
            answers=answers.under(aliases or {}),
            trained_on=trained_on(model.card),
        )

    first = contender(active, before=0)
    return compared(first, contender(candidate, before=len(clips)), snapshot, bound=bound, names=aliases)


def _wanted(clip: SnapshotClip, paths: Mapping[str, str]) -> WantedClip:
    return WantedClip(
        clip_id=clip.clip_id,
        path=paths.get(clip.content_hash, str(clip.path)),
        start_us=clip.start_us,
        end_us=clip.end_us,
    )
