"""Makes a snapshot of what was curated: which clips, with which labels, in which part; and says what is thin."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from vidlabel import __version__
from vidlabel.core.errors import TrainingError
from vidlabel.core.snapshot import Part, Snapshot, SnapshotClip, SplitKind
from vidlabel.core.time import now_us
from vidlabel.core.words import ClipQuery
from vidlabel.learning.gathering import Gathered, gather
from vidlabel.learning.near_duplicates import NearDuplicates, find_near_duplicates
from vidlabel.learning.parting import Hand, OfficialSplit, Past, ToDeal, deal
from vidlabel.learning.preflight import (
    Leak,
    Preflight,
    blockers_of,
    count_labels,
    leak_of,
    warnings_of,
)
from vidlabel.learning.sources import Named, Origin, name_sources
from vidlabel.learning.split import DEFAULT_SHARES, split_stratified
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.snapshots import CuratedClip

__all__ = ["OfficialSplit", "Prepared", "prepare"]

EVERYTHING = ClipQuery()
_NAMED = 20
_COMPARE = "Suggestions for them (`vidlabel suggest`) make embeddings; prepare again after that."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A snapshot that is not kept yet, and what is to be said of it. ``new_test``: it deals everything anew."""

    snapshot: Snapshot
    preflight: Preflight
    new_test: bool = False


def prepare(
    store: ProjectStore,
    query: ClipQuery = EVERYTHING,
    *,
    split: SplitKind = "by-source",
    sources: str = "auto",
    official: OfficialSplit | None = None,
    shares: Mapping[Part, float] = DEFAULT_SHARES,
    seed: int = 0,
    new_test: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """What a run would learn from: all clips that fit, whose label a person gave and whose file can be used.

    Writes nothing but the hashes of contents not hashed yet. A thin set of clips is no error: see
    ``Preflight.blockers``.

    Args:
        store: an open project.
        query: which clips.
        split: ``by-source`` keeps sources and near-duplicates whole, ``random`` does not, ``official`` is HMDB51's.
        sources: ``auto``, ``video``, ``name``, ``folder``, or the path of a CSV file (see ``learning.sources``).
        official: where the files of an official split are.
        shares: of the parts, for clips not dealt before.
        seed: of the chance.
        new_test: deal everything anew, the test clips of earlier snapshots too.
        should_stop: asked now and then, also while files are hashed.
        on_progress: files hashed, and how many there are to hash.

    Raises:
        StoppedError: ``should_stop`` said so.
        TrainingError: an official split without its files.
        FormatError: the CSV file or the split files cannot be used.
    """
    if (split == "official") != (official is not None):
        raise TrainingError("An official split needs the folder of its split files, and no other split does.")
    labels = [label.name for label in store.labels() if not label.retired]
    gathered = gather(store, query, labels, should_stop, on_progress)
    named = name_sources(
        [Origin(clip.relative, clip.path, clip.label, clip.content_hash or "") for clip in gathered.usable],
        sources,
        labels=[label.name for label in store.labels()],
    )
    alike = find_near_duplicates(
        store.embeddings, [clip.clip_id for clip in gathered.usable], should_stop=should_stop
    )
    cards = _to_deal(gathered.usable, named, alike)
    past = Past({} if new_test else store.snapshots.dealt())
    hand = deal(cards, split, past=past, official=official, shares=shares, seed=seed)
    clips = tuple(
        SnapshotClip(
            content_hash=clip.content_hash or "", start_us=clip.start_us, end_us=clip.end_us,
            label=clip.label, part=part, source=card.source, path=clip.path, clip_id=clip.clip_id,
        )
        for clip, card, part in zip(gathered.usable, cards, hand.parts, strict=True)
        if part is not None
    )  # fmt: skip
    used = {clip.label for clip in clips}
    snapshot = Snapshot(
        clips=clips,
        labels=tuple(label for label in labels if label in used),
        split=split,
        sources="" if split == "random" else named.rule,
        seed=seed,
        filters=plain_query(query),
        program=__version__,
        made_at_us=now_us(),
    )
    report = _preflight(snapshot, cards, hand, gathered=gathered, alike=alike, labels=labels)
    return Prepared(snapshot, _with_unnamed(report, named), new_test)


def _to_deal(clips: Sequence[CuratedClip], named: Named, alike: NearDuplicates) -> list[ToDeal]:
    """The clips with the group in which each stays: of one source, one video, or nearly alike, step by step."""
    parent = list(range(len(clips)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[tuple[str, object], int] = {}
    for place, (clip, source) in enumerate(zip(clips, named.sources, strict=True)):
        joins = (("source", source), ("video", clip.content_hash), ("alike", int(alike.groups[place])))
        for what in joins:
            other = first.setdefault(what, place)
            one, two = root(place), root(other)
            parent[max(one, two)] = min(one, two)
    names = {place: f"{named.sources[place]}\n{clips[place].key}" for place in map(root, range(len(clips)))}
    return [
        ToDeal(clip.key, clip.label, source, names[root(place)], clip.relative)
        for place, (clip, source) in enumerate(zip(clips, named.sources, strict=True))
    ]


def _preflight(
    snapshot: Snapshot,
    cards: Sequence[ToDeal],
    hand: Hand,
    *,
    gathered: Gathered,
    alike: NearDuplicates,
    labels: Sequence[str],
) -> Preflight:
    counts = count_labels(snapshot)
    too_small = tuple(one.label for one in counts if not (one.train and one.validation and one.test))
    groups = [card.group for card in cards]
    leak = leak_of(groups, hand.parts)
    warnings = [*warnings_of(counts, too_small, leak)]
    if hand.test_learned:
        warnings.append(
            f"{hand.test_learned:,} test clips of the official split were learned from in an earlier run: models "
            "made from that one look better on them than they are."
        )
    if hand.held_back > len(snapshot.of("train")):
        warnings.append(
            "More clips are held back than learned from: the test clips of earlier snapshots do not go with this "
            "split. Dealing everything anew makes a new test."
        )
    not_compared = len(cards) - alike.covered
    if not_compared:
        warnings.append(_not_compared(not_compared, len(cards), split=snapshot.split))
    return Preflight(
        counts=counts,
        too_small=too_small,
        without_clips=tuple(label for label in labels if label not in snapshot.labels),
        missing=gathered.missing[:_NAMED],
        missing_count=len(gathered.missing),
        unreadable_count=gathered.unreadable,
        left_out=_left_out(gathered, hand),
        near_duplicates=alike.doubled,
        leak=leak,
        leak_random=_random_leak(cards, snapshot.seed),
        frozen=hand.frozen,
        blockers=blockers_of(counts),
        warnings=tuple(warnings),
        not_compared=not_compared,
    )


def _not_compared(count: int, total: int, *, split: SplitKind) -> str:
    """What it means that clips have no embedding, and what to do: a few minutes that a run need not be made to wait."""
    who = "None of the clips" if count == total else f"{count:,} of {total:,} clips"
    verb = "has" if count == 1 else "have"
    what = (
        "a copy of one may come to be in another part, and flatter the result"
        if split == "by-source"
        else "test clips that were learnt from as a copy are not counted"
    )
    if count == total:
        return (
            f"{who} could be compared for near-duplicates, for none has an embedding yet: {what}. {_COMPARE}"
        )
    return f"{who} {verb} no embedding yet and could not be compared for near-duplicates: {what}. {_COMPARE}"


def _left_out(gathered: Gathered, hand: Hand) -> tuple[str, ...]:
    reasons = (
        (len(gathered.missing), "their files are missing"),
        (gathered.unreadable, "their files cannot be read"),
        (gathered.not_hashed, "their files could not be read whole"),
        (gathered.other_label, "their label is retired or not in the label set"),
        (hand.held_back, "they were learned from before, and their source has test clips"),
        (hand.not_listed, "the official split does not use them"),
        (hand.frozen_official, "the official split learns from them, but they were test clips before"),
    )
    return tuple(f"{_clips(count)} left out: {why}." for count, why in reasons if count)


def _clips(count: int) -> str:
    return "1 clip" if count == 1 else f"{count:,} clips"


def _with_unnamed(report: Preflight, named: Named) -> Preflight:
    if not named.unnamed:
        return report
    words = f"{_clips(named.unnamed)}: the CSV file names no source for them; each video is one of its own."
    values: dict[str, Any] = {one.name: getattr(report, one.name) for one in fields(report)}
    return Preflight(**{**values, "warnings": (*report.warnings, words)})


def _random_leak(cards: Sequence[ToDeal], seed: int) -> Leak:
    """What a split by chance would do."""
    keys = [f"{card.key}" for card in cards]
    parts = split_stratified(keys, [card.label for card in cards], seed=seed).parts
    return leak_of([card.group for card in cards], parts)


def plain_query(query: ClipQuery) -> dict[str, Any]:
    """What a query restricts, as plain values; how it sorts is left out."""

    def plain(value: object) -> object:
        if isinstance(value, frozenset):
            return sorted(str(plain(item)) for item in value)
        if isinstance(value, Enum):
            return value.value
        return value if isinstance(value, str | int | float | bool) or value is None else _json(value)

    sorting = {"sort", "descending", "order", "seed"}
    return {
        one.name: plain(value)
        for one in fields(query)
        if one.name not in sorting and (value := getattr(query, one.name)) != getattr(EVERYTHING, one.name)
    }


def _json(value: object) -> object:
    own = {one.name: getattr(value, one.name) for one in fields(value)}  # type: ignore[arg-type]
    return json.loads(json.dumps(own, default=list))
