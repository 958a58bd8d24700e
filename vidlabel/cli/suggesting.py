"""Computing suggestions on the command line: what is known of a clip is used again, what is new is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from vidlabel.cli.progress import progress
from vidlabel.core.errors import ProjectError
from vidlabel.core.messages import ClipScores, ClipTrouble, WantedClip
from vidlabel.core.model_key import ModelKey
from vidlabel.core.vectors import packed, unpacked
from vidlabel.core.words import ONE_VIEW, ClipRow, LabelScore, Suggestion
from vidlabel.engine.suggester import suggest_clips
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.ml.trunk import trunk_of
from vidlabel.store.project_store import ProjectStore

# More than the window shows: calibrating needs to know how the rest is spread, and asking for a few more later
# need not compute anything.
_STORED = 10
_SAVE_CLIPS = 64
_SAVE_S = 1.0
_LOOKED_UP_AT_ONCE = 500


def compute(
    store: ProjectStore,
    model: ModelInfo,
    rows: Sequence[ClipRow],
    *,
    stored: Mapping[int, Suggestion],
    device: str,
    batch: int | None,
    top_k: int,
    compiling: bool = False,
    log: Callable[[str], None],
) -> bool:
    """Suggestions for these clips, written in batches; a clip the model's trunk has seen is not opened.

    Args:
        stored: what the model said before, by clip; it stays as it is, for ever.
        device, batch, top_k, compiling: as for ``suggest_clips``.
        log: is told if embeddings cannot be kept.

    Returns:
        Whether the device gave up on the way and the CPU went on.
    """
    if not rows:
        return False
    moved: list[str] = []

    def move(words: str) -> None:
        moved.append(words)
        log(f"vidlabel: {words}")

    key = ModelKey.parse(model.hash)
    # No single embedding gives the answer of several views again.
    trunk = trunk_of(model, precision=key.precision) if key.views == ONE_VIEW else ""
    keeper = Keeper(store, model.hash, stored=stored, trunk=trunk, log=log)
    answers = suggest_clips(
        model, _wanted(store, rows, trunk), device=device, batch=batch, top_k=max(top_k, _STORED),
        precision=key.precision, views=key.views, compiling=compiling,
        on_views_cost=lambda times: log(f"vidlabel: {key.views.words}: {times:.1f}x the time of one view."),
        on_fallback=move,
    )  # fmt: skip
    # Closing ends the decoding threads; keeping the last ones comes after, also after Ctrl+C.
    with progress("Suggesting", total=len(rows)) as bar, closing(keeper), closing(answers):  # type: ignore[type-var]
        for answer in answers:
            keeper.add(answer)
            bar.advance()
    return bool(moved)


def _wanted(store: ProjectStore, rows: Sequence[ClipRow], trunk: str) -> Iterator[WantedClip]:
    for first in range(0, len(rows), _LOOKED_UP_AT_ONCE):
        some = rows[first : first + _LOOKED_UP_AT_ONCE]
        known = store.embeddings.find(trunk, [row.clip_id for row in some]) if trunk else {}
        for row in some:
            embedding = known.get(row.clip_id)
            yield WantedClip(
                clip_id=row.clip_id,
                path=row.path,
                start_us=row.start_us,
                end_us=row.end_us,
                embedding="" if embedding is None else packed(embedding),
            )


class Keeper:
    """Writes answers in batches, at least every second: what Ctrl+C finds done is kept."""

    def __init__(
        self,
        store: ProjectStore,
        model_hash: str,
        *,
        stored: Mapping[int, Suggestion],
        trunk: str,
        log: Callable[[str], None],
    ) -> None:
        self._store = store
        self._model_hash = model_hash
        self._stored = stored
        self._trunk = trunk
        self._log = log
        self._waiting: list[Suggestion] = []
        self._seen: dict[int, NDArray[np.float16]] = {}
        self._since = monotonic()

    def add(self, answer: ClipScores | ClipTrouble) -> None:
        """Takes one answer."""
        if isinstance(answer, ClipTrouble) and answer.of_model:
            self._log(f"vidlabel: clip {answer.clip_id}: {answer.reason}.")
            return
        if isinstance(answer, ClipTrouble):
            self._store.mark_trouble(answer.clip_id, answer.reason, missing=answer.missing)
            return
        self._waiting.append(self._suggestion(answer))
        if answer.embedding and self._trunk:
            self._seen[answer.clip_id] = unpacked(answer.embedding)
        if len(self._waiting) >= _SAVE_CLIPS or monotonic() - self._since >= _SAVE_S:
            self.close()

    def close(self) -> None:
        """Writes what has not been written."""
        if self._waiting:
            self._store.save_suggestions(self._waiting)
        if self._seen:
            self._keep_embeddings()
        self._waiting, self._seen, self._since = [], {}, monotonic()

    def _keep_embeddings(self) -> None:
        try:
            self._store.embeddings.save(self._trunk, self._seen)
        except ProjectError as error:
            # They only save time later: the suggestions themselves are kept.
            self._log(f"vidlabel: {error}")
            self._trunk = ""

    def _suggestion(self, answer: ClipScores) -> Suggestion:
        """The answer as it is to be kept. What is stored already for some labels stays as it is, for ever."""
        before = self._stored.get(answer.clip_id)
        kept = before.scores if before else ()
        known = {score.label for score in kept}
        fresh = [
            LabelScore(label, value)
            for label, value in zip(answer.labels, answer.probabilities, strict=True)
            if label not in known
        ]
        return Suggestion(
            clip_id=answer.clip_id,
            model=self._model_hash,
            # Sorted, for what was computed in another batch may differ in its last digit.
            scores=tuple(sorted((*kept, *fresh), key=lambda score: -score.probability)),
            margin=before.margin if before else answer.margin,
            entropy=before.entropy if before else answer.entropy,
        )
