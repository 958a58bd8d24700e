"""Deals the curated clips of a project to train, validation and test, true to what was dealt before.

A clip keeps the part it had in an earlier snapshot: what was test is never learned from, and what was learned
from never becomes a test, which the models made of it would pass too easily. Only new sources are dealt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vidlabel.core.snapshot import Part, SplitKind
from vidlabel.learning.split import (
    DEFAULT_SHARES,
    OfficialEntry,
    read_hmdb51_split,
    split_by_source,
    split_stratified,
)
from vidlabel.store.snapshots import Dealt, Key

_STRONGER: tuple[Part, ...] = ("test", "train", "validation")


@dataclass(frozen=True, slots=True)
class OfficialSplit:
    """A published split of HMDB51: the folder of its files, and which of the three."""

    folder: Path
    number: int


@dataclass(frozen=True, slots=True)
class ToDeal:
    """One clip: what it is, its label, its source, the group that stays together, and its path in its root."""

    key: Key
    label: str
    source: str
    group: str
    relative: str


@dataclass(frozen=True, slots=True)
class Hand:
    """The part of each clip in the order given, None for one left out, and how many were left out and why.

    Attributes:
        parts: one a clip.
        held_back: learned from before, and of the same source as a test clip.
        not_listed: not among the clips of the official split that are used.
        frozen_official: test before, but for training in the official split.
        frozen: test before and test again.
        test_learned: test in the official split, but learned from before.
    """

    parts: tuple[Part | None, ...]
    held_back: int = 0
    not_listed: int = 0
    frozen_official: int = 0
    frozen: int = 0
    test_learned: int = 0


class Past:
    """What became of clips in earlier snapshots: by clip, else by their video, else by their source."""

    def __init__(self, dealt: Mapping[Key, Dealt]) -> None:
        self._by_clip = {key: one.part for key, one in dealt.items()}
        self._by_video: dict[str, Part] = {}
        self._by_source: dict[str, Part] = {}
        for key, one in dealt.items():
            _keep_stronger(self._by_video, key[0], one.part)
            if one.source:
                _keep_stronger(self._by_source, one.source, one.part)

    def part_of(self, clip: ToDeal, *, by_source: bool = True) -> Part | None:
        """The part a clip is known for; None for a new one."""
        part = self._by_clip.get(clip.key) or self._by_video.get(clip.key[0])
        return part or (self._by_source.get(clip.source) if by_source else None)


def deal(
    clips: Sequence[ToDeal],
    kind: SplitKind,
    *,
    past: Past,
    official: OfficialSplit | None = None,
    shares: Mapping[Part, float] = DEFAULT_SHARES,
    seed: int = 0,
) -> Hand:
    """The part of every clip.

    Raises:
        FormatError: the files of the official split cannot be read.
    """
    if kind == "official" and official is not None:
        return _official(clips, official, past=past, shares=shares, seed=seed)
    if kind == "random":
        return _random(clips, past=past, shares=shares, seed=seed)
    return _by_source(clips, past=past, shares=shares, seed=seed)


def _by_source(clips: Sequence[ToDeal], *, past: Past, shares: Mapping[Part, float], seed: int) -> Hand:
    before = [past.part_of(clip) for clip in clips]
    fixed: dict[str, Part] = {}
    for clip, part in zip(clips, before, strict=True):
        if part is not None:
            _keep_stronger(fixed, clip.group, part)
    used = [
        index for index, clip in enumerate(clips)
        if fixed.get(clip.group) != "test" or before[index] in (None, "test")
    ]  # fmt: skip
    split = split_by_source(
        [clips[index].group for index in used], [clips[index].label for index in used],
        shares=shares, seed=seed, fixed=fixed,
    )  # fmt: skip
    parts: list[Part | None] = [None] * len(clips)
    for index, part in zip(used, split.parts, strict=True):
        parts[index] = part
    return Hand(tuple(parts), held_back=len(clips) - len(used), frozen=before.count("test"))


def _random(clips: Sequence[ToDeal], *, past: Past, shares: Mapping[Part, float], seed: int) -> Hand:
    keys = [_name(clip.key) for clip in clips]
    fixed = {
        key: part for key, clip in zip(keys, clips, strict=True)
        if (part := past.part_of(clip, by_source=False)) is not None
    }  # fmt: skip
    split = split_stratified(keys, [clip.label for clip in clips], shares=shares, seed=seed, fixed=fixed)
    return Hand(split.parts, frozen=sum(part == "test" for part in fixed.values()))


def _official(
    clips: Sequence[ToDeal], official: OfficialSplit, *, past: Past, shares: Mapping[Part, float], seed: int
) -> Hand:
    listed = _Listed(read_hmdb51_split(official.folder, official.number))
    before = [past.part_of(clip, by_source=False) for clip in clips]
    own = [listed.part_of(clip) for clip in clips]
    learn = [index for index, part in enumerate(own) if part == "train" and before[index] != "test"]
    held = shares.get("validation", 0.0) / max(1e-9, shares["train"] + shares.get("validation", 0.0))
    fixed: dict[str, Part] = {}
    for index in learn:
        if (part := before[index]) is not None:
            _keep_stronger(fixed, clips[index].group, part)
    split = split_by_source(
        [clips[index].group for index in learn], [clips[index].label for index in learn],
        shares={"train": 1 - held, "validation": held}, seed=seed, fixed=fixed,
    )  # fmt: skip
    parts: list[Part | None] = ["test" if part == "test" else None for part in own]
    for index, part in zip(learn, split.parts, strict=True):
        parts[index] = part
    pairs = list(zip(own, before, strict=True))
    return Hand(
        tuple(parts),
        not_listed=own.count(None),
        frozen_official=pairs.count(("train", "test")),
        frozen=pairs.count(("test", "test")),
        test_learned=pairs.count(("test", "train")),
    )


class _Listed:
    """The lines of an official split, found by a clip's file name, whatever its extension."""

    def __init__(self, entries: Iterable[OfficialEntry]) -> None:
        self._by_stem: dict[str, Part | None] = {}
        self._by_label: dict[tuple[str, str], Part | None] = {}
        twice: set[str] = set()
        for entry in entries:
            stem = PurePosixPath(entry.video).stem
            if stem in self._by_stem and self._by_stem[stem] != entry.part:
                twice.add(stem)
            self._by_stem[stem] = entry.part
            self._by_label[entry.label, stem] = entry.part
        for stem in twice:  # the same name in two folders: only the label tells which is meant
            del self._by_stem[stem]

    def part_of(self, clip: ToDeal) -> Part | None:
        stem = PurePosixPath(clip.relative).stem
        if (clip.label, stem) in self._by_label:
            return self._by_label[clip.label, stem]
        return self._by_stem.get(stem)


def _keep_stronger(parts: dict[str, Part], name: str, part: Part) -> None:
    now = parts.get(name)
    if now is None or _STRONGER.index(part) < _STRONGER.index(now):
        parts[name] = part


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]} {key[2]}"
