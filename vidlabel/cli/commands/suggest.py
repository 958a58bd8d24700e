"""``vidlabel suggest``: a model's labels for every readable clip, stored or newly computed."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from time import monotonic
from typing import Any

from vidlabel.cli.context import Use, clips, open_project
from vidlabel.cli.output import Output
from vidlabel.cli.progress import progress
from vidlabel.cli.scanning import scan_roots
from vidlabel.core.errors import ModelError
from vidlabel.core.messages import ClipScores, ClipTrouble, WantedClip
from vidlabel.core.time import seconds_from_us
from vidlabel.core.words import ClipQuery, ClipRow, ClipState, LabelScore, Suggestion
from vidlabel.engine.suggester import suggest_clips
from vidlabel.interop.jsonl import suggestions_json
from vidlabel.ml.catalogue import BUNDLED, find_model
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.store.project_store import ProjectStore

# More than the window shows, so that asking for a few more later need not read the video again.
_STORED = 10
_SAVE_CLIPS = 64
_SAVE_S = 1.0
_BROKEN = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


def run(arguments: Namespace, output: Output) -> int:
    """Computes what is missing, keeps it, and answers all clips."""
    with open_project(arguments.project, use=Use.WRITE) as store:
        model = _model(store, arguments.model, output)
        device = "cpu" if arguments.device == "cpu" else choose_device(arguments.device).kind
        scan_roots(store, output)
        _register(store, model)
        stored = _stored(store, model)
        rows = _wanted(store, stored, labels=min(arguments.top_k, len(model.labels)))
        keeper = _Keeper(store, model, stored)
        _compute(keeper, model, rows, device=device, batch=arguments.batch_size, top_k=arguments.top_k)
        document, lines = _answer(store, model, device=device, top_k=arguments.top_k)
    output.answer(document, lines)
    return 0


def _model(store: ProjectStore, name: str | None, output: Output) -> ModelInfo:
    if name is not None:
        return find_model(name)
    active = store.active_model()
    if active is None:
        return find_model(BUNDLED)
    model_hash, known_as = active
    try:
        return find_model(model_hash)
    except ModelError as error:
        if known_as == BUNDLED:
            model = find_model(BUNDLED)
            output.log(f"vidlabel: the bundled model is another one now ({model.hash[:12]}); it takes over.")
            _register(store, model)
            store.set_active_model(model.hash)
            return model
        reason = f"it is the project's active one, but it cannot be used here: {error.reason} Give --model M."
        raise ModelError(f"{known_as} ({model_hash[:12]})", reason) from error


def _register(store: ProjectStore, model: ModelInfo) -> None:
    store.register_model(model.hash, model.name, model.labels, model.card)
    if store.active_model() is None:
        store.set_active_model(model.hash)


def _stored(store: ProjectStore, model: ModelInfo) -> dict[int, Suggestion]:
    return {suggestion.clip_id: suggestion for _, suggestion in store.suggested_clips(model.hash)}


def _wanted(store: ProjectStore, stored: dict[int, Suggestion], *, labels: int) -> list[ClipRow]:
    """Readable clips without a suggestion, or with one of fewer labels than asked for."""
    readable = (row for row in clips(store, ClipQuery(sort="path")) if row.state not in _BROKEN)
    return [row for row in readable if row.clip_id not in stored or len(stored[row.clip_id].scores) < labels]


def _compute(
    keeper: _Keeper, model: ModelInfo, rows: list[ClipRow], *, device: str, batch: int | None, top_k: int
) -> None:
    if not rows:
        return
    wanted = (
        WantedClip(clip_id=row.clip_id, path=row.path, start_us=row.start_us, end_us=row.end_us)
        for row in rows
    )
    answers = suggest_clips(model, wanted, device=device, batch=batch, top_k=max(top_k, _STORED))
    # Closing ends the decoding threads; keeping the last ones comes after, also after Ctrl+C.
    with progress("Suggesting", total=len(rows)) as bar, closing(keeper), closing(answers):  # type: ignore[type-var]
        for answer in answers:
            keeper.add(answer)
            bar.advance()


class _Keeper:
    """Writes answers in batches, at least every second: what Ctrl+C finds done is kept."""

    def __init__(self, store: ProjectStore, model: ModelInfo, stored: dict[int, Suggestion]) -> None:
        self._store = store
        self._model = model
        self._stored = stored
        self._waiting: list[Suggestion] = []
        self._since = monotonic()

    def add(self, answer: ClipScores | ClipTrouble) -> None:
        """Takes one answer."""
        if isinstance(answer, ClipTrouble):
            self._store.mark_trouble(answer.clip_id, answer.reason, missing=answer.missing)
            return
        self._waiting.append(self._suggestion(answer))
        if len(self._waiting) >= _SAVE_CLIPS or monotonic() - self._since >= _SAVE_S:
            self.close()

    def close(self) -> None:
        """Writes what has not been written."""
        if self._waiting:
            self._store.save_suggestions(self._waiting)
        self._waiting, self._since = [], monotonic()

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
            model=self._model.hash,
            # Sorted, for what was computed in another batch may differ in its last digit.
            scores=tuple(sorted((*kept, *fresh), key=lambda score: -score.probability)),
            margin=before.margin if before else answer.margin,
            entropy=before.entropy if before else answer.entropy,
        )


def _answer(
    store: ProjectStore, model: ModelInfo, *, device: str, top_k: int
) -> tuple[dict[str, Any], list[str]]:
    answered: list[dict[str, Any]] = []
    unreadable: list[dict[str, str]] = []
    lines: list[str] = []
    suggestions = _stored(store, model)
    for row in clips(store, ClipQuery(sort="path")):
        if row.state in _BROKEN:
            unreadable.append({"video": row.path, "reason": row.reason or row.state.value})
            continue
        stored = suggestions.get(row.clip_id)
        if stored is None:
            continue
        answered.append(
            {
                "video": row.path,
                "start": seconds_from_us(row.start_us),
                "end": seconds_from_us(row.end_us),
                "suggestions": suggestions_json(stored)[:top_k],
            }
        )
        best = ", ".join(f"{score.label} {score.shown:.0%}" for score in stored.scores[:top_k])
        lines.append(f"{row.path}: {best}")
    document = {
        "model": model.name,
        "model_hash": model.hash,
        "device": device,
        "clips": answered,
        "unreadable": unreadable,
    }
    lines += [f"{one['video']}: not readable: {one['reason']}" for one in unreadable]
    lines.append(f"{len(answered)} clips, {len(unreadable)} not readable; model {model.name} on {device}.")
    return document, lines
