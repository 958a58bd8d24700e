"""What suggesting asks of the store, off the GUI thread, and its answers in the words of the core."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from vidlabel.core import messages as m
from vidlabel.core.model_key import ModelKey
from vidlabel.core.words import Changes, ClipRow, LabelScore, QueueOrder, Suggestion

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore


def card_of(model: str) -> dict[str, Any]:
    """A model's card from its file; in the pool, and loaded only here: the first paint does not need it.

    Raises:
        ModelError: there is no such model any more.
    """
    catalogue: Any = importlib.import_module("vidlabel.ml.catalogue")
    return dict(catalogue.find_model(ModelKey.parse(model).hash).card)


def register(model: m.ModelReady, card: dict[str, Any], store: ProjectStore) -> Changes | None:
    """Makes the model known to the project, and active."""
    store.register_model(model.hash, model.model, model.labels, card)
    active = store.active_model()
    if active is None or active[0] != model.hash:
        return store.set_active_model(model.hash)
    return Changes(models=True)


def how_many(model_hash: str, store: ProjectStore) -> int:
    """How many clips have no suggestion of this model yet."""
    # What it needs is loaded now, and not when the clip on screen waits for it.
    _vectors()
    _ = store.embeddings
    return len(store.clips_without_suggestion(model_hash, limit=10_000_000, order=QueueOrder.PATH))


def without_suggestion(
    model_hash: str, limit: int, order: QueueOrder, store: ProjectStore
) -> tuple[ClipRow, ...]:
    """The clips to go on with, those first that the queue will need first."""
    return store.clip_rows(store.clips_without_suggestion(model_hash, limit=limit, order=order))


def wanted_clips(rows: tuple[ClipRow, ...], trunk: str, store: ProjectStore) -> tuple[m.WantedClip, ...]:
    """These clips for the engine, each with its embedding where the trunk has seen it before."""
    known = store.embeddings.find(trunk, [row.clip_id for row in rows]) if trunk else {}
    return tuple(
        m.WantedClip(
            clip_id=row.clip_id,
            path=row.path,
            start_us=row.start_us,
            end_us=row.end_us,
            embedding=_vectors().packed(known[row.clip_id]) if row.clip_id in known else "",
        )
        for row in rows
    )


def keep_embeddings(trunk: str, seen: dict[int, str], store: ProjectStore) -> int:
    """Keeps what the engine sent along; answers how many were new."""
    return store.embeddings.save(
        trunk, {clip_id: _vectors().unpacked(text) for clip_id, text in seen.items()}
    )


def _vectors() -> Any:
    # Loaded on the threads of the store: the window is painted without numpy.
    return importlib.import_module("vidlabel.core.vectors")


def suggestion_of(scores: m.ClipScores, model_hash: str) -> Suggestion:
    """A suggestion from its wire form."""
    return Suggestion(
        clip_id=scores.clip_id,
        model=model_hash,
        scores=tuple(map(LabelScore, scores.labels, scores.probabilities)),
        margin=scores.margin,
        entropy=scores.entropy,
    )


def save(suggestions: tuple[Suggestion, ...], store: ProjectStore) -> Changes:
    return store.save_suggestions(suggestions)


def mark(trouble: m.ClipTrouble, store: ProjectStore) -> Changes:
    """A clip that could not be read for a suggestion. Where it is the model that failed, the file is fine."""
    if trouble.of_model:
        return Changes()
    return store.mark_trouble(trouble.clip_id, trouble.reason, missing=trouble.missing)
