"""What must not be divided between the parts of a split: the film, recording or folder a clip comes from."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from vidlabel.core.errors import FormatError
from vidlabel.core.resources import resource_path
from vidlabel.learning.split import hmdb51_group

RULES = ("auto", "video", "name", "folder")
"""The rules that need no file."""

_HMDB51 = "label_sets/hmdb51.json"
_UCF101 = re.compile(r"(?P<source>v_[A-Za-z0-9]+_g\d+)_c\d+")
_ENOUGH = 0.5
_PARTS = 3


@dataclass(frozen=True, slots=True)
class Named:
    """The source of each clip, in the order given, and the rule that named them, in words of ``--source``."""

    sources: tuple[str, ...]
    rule: str
    unnamed: int = 0
    """Clips whose video the CSV does not name: each video of them is a source of its own."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What names the source of a clip: its path inside its root (with ``/``), its file, its label and its content."""

    relative: str
    path: Path
    label: str
    content: str


def name_sources(clips: Sequence[Origin], rule: str, *, labels: Sequence[str]) -> Named:
    """The source of each clip.

    Args:
        clips: in any order.
        rule: ``video``: each file is one. ``name``: the name groups of HMDB51 and UCF101. ``folder``: the folder.
            ``auto``: the first of name, folder and video that suits. Anything else is the path of a CSV file
            with the columns ``video`` and ``source``.
        labels: of the project; they can stand in names.

    Raises:
        FormatError: there is no such file, or it lacks a column.
    """
    match rule:
        case "auto":
            return _automatic(clips, labels)
        case "video":
            return Named(tuple(clip.content for clip in clips), rule)
        case "name":
            known = _names_in_files(tuple(labels))
            return Named(tuple(name_group(clip.relative, known) for clip in clips), rule)
        case "folder":
            return Named(tuple(_folder(clip) for clip in clips), rule)
        case _:
            return _by_file(clips, Path(rule))


def name_group(name: str, labels: Sequence[str]) -> str:
    """The name group of HMDB51 or UCF101 a file belongs to, or its whole stem."""
    group = hmdb51_group(name, labels)
    found = _UCF101.fullmatch(group)
    return found["source"] if found else group


def _automatic(clips: Sequence[Origin], labels: Sequence[str]) -> Named:
    named = name_sources(clips, "name", labels=labels)
    grouped = sum(source != _stem(clip.relative) for source, clip in zip(named.sources, clips, strict=True))
    if clips and grouped >= _ENOUGH * len(clips):
        return named
    folders = name_sources(clips, "folder", labels=labels)
    return folders if _folders_suit(clips, folders.sources) else name_sources(clips, "video", labels=labels)


def _folders_suit(clips: Sequence[Origin], folders: Sequence[str]) -> bool:
    """Whether folders are recordings and not labels: most labels have to be in enough of them for every part."""
    homes: dict[str, set[str]] = defaultdict(set)
    videos: dict[str, set[str]] = defaultdict(set)
    for clip, folder in zip(clips, folders, strict=True):
        homes[clip.label].add(folder)
        videos[clip.label].add(clip.content)
    could = [label for label, own in videos.items() if len(own) >= _PARTS]
    suit = [label for label in could if len(homes[label]) >= _PARTS]
    return bool(suit) and len(suit) >= _ENOUGH * len(could)


def _by_file(clips: Sequence[Origin], path: Path) -> Named:
    table = _read_csv(path)
    sources, unnamed = [], 0
    for clip in clips:
        names = (str(clip.path), clip.path.as_posix(), clip.relative, PurePosixPath(clip.relative).name)
        found = next((table[name] for name in names if name in table), None)
        unnamed += found is None
        sources.append(clip.content if found is None else found)
    return Named(tuple(sources), str(path), unnamed)


def _read_csv(path: Path) -> Mapping[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise FormatError(
            path, f"it cannot be read ({why}). Sources are auto, video, name, folder or a CSV file."
        ) from error
    reader = csv.DictReader(text.splitlines())
    if not {"video", "source"} <= set(reader.fieldnames or ()):
        raise FormatError(path, "the first line must name the columns 'video' and 'source'.", line=1)
    table: dict[str, str] = {}
    for row in reader:
        video, source = (row["video"] or "").strip(), (row["source"] or "").strip()
        if not video or not source:
            raise FormatError(path, "a video or its source is empty.", line=reader.line_num)
        if table.setdefault(video, source) != source:
            raise FormatError(path, f"'{video}' has two different sources.", line=reader.line_num)
    return table


def _folder(clip: Origin) -> str:
    return PurePosixPath(clip.relative).parent.as_posix() if "/" in clip.relative else clip.path.parent.name


def _stem(relative: str) -> str:
    return re.sub(r"\.\w{2,4}$", "", relative.rsplit("/", 1)[-1])


@lru_cache(maxsize=4)
def _names_in_files(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The project's labels and HMDB51's own: files keep their names when labels are renamed."""
    own = json.loads(resource_path(_HMDB51).read_text("utf-8"))["labels"]
    return tuple(dict.fromkeys([*labels, *own]))
