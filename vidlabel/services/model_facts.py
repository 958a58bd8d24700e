"""What is known of a model, in one form for all of them: bundled, installed, or only published so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vidlabel.core.catalogue import PublishedModel

BUNDLED = "bundled"
VERY_FAST, FAST, MEDIUM = 3.0, 15.0, 50.0
"""Billions of multiply-adds a clip up to which a model counts as very fast, fast, medium."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One accuracy; ``source`` says who published it, '' for one measured by vidlabel's recipes. Shares are 0..1."""

    on: str
    top1: float
    top5: float | None = None
    clips: int | None = None
    labels: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One source of what a model was trained on, and its licence ('' where none is stated apart)."""

    what: str
    licence: str = ""


@dataclass(frozen=True, slots=True)
class LabelNote:
    """A label and what is to be said of it."""

    label: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelReach:
    """What a kind of head can suggest of HMDB51's labels: ``able``, among them ``loosely``, and ``unable``."""

    able: tuple[str, ...]
    loosely: tuple[LabelNote, ...] = ()
    unable: tuple[LabelNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """A model's card. ``hash`` and ``path`` are empty of one that is not installed.

    ``published`` names the entry of the catalogue it can be installed from, '' for others. ``unable`` are
    labels of HMDB51 that the model can never suggest, ``loosely`` those it knows only by wider classes.
    ``gmacs`` are billions of multiply-adds a clip, ``size`` bytes on the disk or to be fetched; None where
    that is not known.
    """

    name: str
    title: str
    hash: str = ""
    path: Path | None = None
    published: str = ""
    summary: str = ""
    when: str = ""
    trained_on: tuple[Training, ...] = ()
    licence: str = ""
    network: str = ""
    frames: int = 0
    width: int = 0
    height: int = 0
    span_s: float | None = None
    parameters: int | None = None
    gmacs: float | None = None
    size: int | None = None
    size_exact: bool = True
    measured: tuple[Score, ...] = ()
    measured_note: str = ""
    scores: tuple[Score, ...] = ()
    labels: tuple[str, ...] = ()
    loosely: tuple[LabelNote, ...] = ()
    unable: tuple[LabelNote, ...] = ()
    notes: tuple[str, ...] = ()
    created: str = ""

    @property
    def bundled(self) -> bool:
        return self.name == BUNDLED

    @property
    def speed(self) -> str:
        """``very fast``, ``fast``, ``medium`` or ``slow``; '' where it is not known."""
        if self.gmacs is None:
            return ""
        classes = ((VERY_FAST, "very fast"), (FAST, "fast"), (MEDIUM, "medium"))
        return next((words for limit, words in classes if self.gmacs <= limit), "slow")


def facts_of_published(model: PublishedModel, reach: LabelReach) -> ModelFacts:
    """The facts of an entry of the catalogue, of which ``reach`` says what its head can suggest."""
    return ModelFacts(
        name=model.name,
        title=model.title,
        published=model.name,
        summary=model.summary,
        when=model.when,
        trained_on=(Training(what=model.trained_on),),
        licence=model.licence,
        network=model.network,
        frames=model.frames,
        width=model.size[0],
        height=model.size[1],
        span_s=model.span_s,
        parameters=model.parameters,
        gmacs=model.gmacs,
        size=model.download_bytes,
        size_exact=model.download_exact,
        scores=tuple(
            Score(on=score.on, top1=score.top1, top5=score.top5, source=score.source)
            for score in model.scores
        ),
        labels=reach.able,
        loosely=reach.loosely,
        unable=reach.unable,
        notes=model.notes,
    )


def facts_of_info(
    info: Any, *, shapes: Mapping[str, tuple[int, ...]], published: ModelFacts | None
) -> ModelFacts:
    """The facts of a model file on this computer.

    Args:
        info: what its header says, a ``ModelInfo``; this process does not know ``ml`` by name.
        shapes: of its weights.
        published: the facts of the catalogue's entry that it came from, which fill what its card leaves open.
    """
    card = info.card
    base = published or ModelFacts(name=info.name, title=info.name)
    title = "Bundled with vidlabel" if info.name == BUNDLED else base.title
    weights = sum(math.prod(shape) for shape in shapes.values())
    return replace(
        base,
        name=info.name,
        title=title,
        hash=info.hash,
        path=info.path,
        summary=_text(card.get("summary")) or base.summary,
        when=_text(card.get("when")) or base.when,
        trained_on=_training(card.get("trained_on")) or base.trained_on,
        licence=_text(card.get("licence", card.get("license"))) or info.license or base.licence,
        network=info.network,
        frames=info.preprocessing.frames,
        width=info.preprocessing.width,
        height=info.preprocessing.height,
        span_s=info.preprocessing.span_s,
        parameters=_whole(card.get("parameters")) or base.parameters or weights or None,
        gmacs=_number(card.get("gmacs")) or base.gmacs,
        size=info.path.stat().st_size,
        size_exact=True,
        measured=tuple(_scores(card.get("scores"), source="")),
        measured_note=_text(card.get("scores_note")),
        scores=tuple(_scores(card.get("published_scores"), source="its card")) or base.scores,
        labels=info.labels,
        # A published model's own limits repeat what the catalogue and the table of labels say.
        notes=base.notes or _texts(card.get("limits", card.get("notes"))),
        unable=base.unable or tuple(LabelNote(label) for label in _texts(card.get("cannot_suggest"))),
        created=info.created,
    )


def bytes_words(size: float) -> str:
    """``870 kB``, ``1.6 MB``, ``124 MB``, ``1.2 GB``; thousands, as disks and downloads are counted."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if size >= scale * 0.9995:
            value = size / scale
            return f"{value:.1f} {unit}" if value < 99.95 else f"{value:,.0f} {unit}"
    return f"{max(0, round(size / 1e3)):,} kB"


# --- a card is free JSON: what does not fit is left out ----------------------------------------------
def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _training(value: object) -> tuple[Training, ...]:
    if not isinstance(value, list):
        return tuple(Training(what=text) for text in _texts(value))
    found: list[Training] = []
    for one in value:
        if isinstance(one, str):
            found.append(Training(what=one))
        elif isinstance(one, dict) and _text(one.get("what", one.get("source"))):
            what = _text(one.get("what", one.get("source")))
            found.append(Training(what=what[:1].upper() + what[1:], licence=_text(one.get("licence"))))
    return tuple(found)


def _scores(value: object, *, source: str) -> list[Score]:
    found: list[Score] = []
    for one in value if isinstance(value, list) else ():
        top1 = _number(one.get("top1")) if isinstance(one, dict) else None
        if top1 is not None:
            entry: dict[str, Any] = one
            found.append(
                Score(
                    on=_text(entry.get("on")), top1=top1, top5=_number(entry.get("top5")),
                    clips=_whole(entry.get("clips")), labels=_whole(entry.get("labels_competing")),
                    source=_text(entry.get("source")) or source,
                )
            )  # fmt: skip
    return found
