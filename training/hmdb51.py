"""HMDB51 as one index: every clip with its label, its source, its part in four splits, and what its file holds.

The index is one JSON file, ``hmdb51.json``. ``videos`` is null where the clips lie in a folder ``videos`` beside it::

    {"v": 1, "videos": null, "labels": [...], "random_seed": 0, "clips": [
     {"path": "wave/a_wave_u_nm_np1_fr_goo_0.avi", "label": "wave", "source": "a",
      "parts": {"official-1": "train", ..., "random": "test"}, "bytes": 1, "sha256": null,
      "frames": 81, "fps": 30.0, "width": 320, "height": 240, "problem": null}, ...]}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from training.files import write_whole
from training.sources import hmdb51_labels
from vidlabel.core.errors import FormatError
from vidlabel.learning.split import Part, hmdb51_group, read_hmdb51_split, split_stratified

OFFICIAL = ("official-1", "official-2", "official-3")
RANDOM = "random"
SPLITS = (*OFFICIAL, RANDOM)
RANDOM_SHARES: Mapping[Part, float] = {"train": 0.7, "test": 0.3}
INDEX = "hmdb51.json"
VIDEOS = "videos"
_VERSION = 1


@dataclass(frozen=True)
class Expected:
    """What a set must hold to be HMDB51: clips in all, labels, and clips a label in the parts of a split."""

    clips: int = 6766
    labels: int = 51
    train_of_label: int = 70
    test_of_label: int = 30


@dataclass(frozen=True, kw_only=True)
class IndexedClip:
    """One clip.

    Attributes:
        path: relative to the folder ``videos``, with ``/``.
        label: the class folder it lies in.
        source: the film or upload it was cut from.
        parts: the part it has in each split; a split that does not use it has no entry.
        bytes: size of the file.
        sha256: of the file, where asked for.
        frames: number of frames, 0 where it cannot be read.
        fps: frames a second.
        width: px, as shown.
        height: px, as shown.
        problem: why the file cannot be used; None where it can.
    """

    path: str
    label: str
    source: str
    parts: Mapping[str, Part]
    bytes: int = 0
    sha256: str | None = None
    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    problem: str | None = None


@dataclass(frozen=True)
class Index:
    """All clips, in order of path; ``folder`` is what their paths are relative to."""

    folder: Path
    labels: tuple[str, ...]
    random_seed: int
    clips: tuple[IndexedClip, ...]

    def part(self, split: str, part: Part, *, readable: bool = True) -> tuple[IndexedClip, ...]:
        """The clips of one part of a split; without the unreadable ones unless asked for.

        Raises:
            ValueError: there is no such split.
        """
        if split not in SPLITS:
            raise ValueError(f"there is no split {split!r}; there are {', '.join(SPLITS)}")
        return tuple(
            clip
            for clip in self.clips
            if clip.parts.get(split) == part and (clip.problem is None or not readable)
        )

    def file(self, clip: IndexedClip) -> Path:
        """Where a clip lies."""
        return self.folder / clip.path


def official_parts(splits: Path) -> dict[tuple[str, str], dict[str, Part | None]]:
    """(label, file name) -> split -> part, out of the three official split files of each label.

    Raises:
        FormatError: files of a split are missing or damaged, or name other clips than those of another split.
    """
    found: dict[tuple[str, str], dict[str, Part | None]] = {}
    for number, split in enumerate(OFFICIAL, start=1):
        for entry in read_hmdb51_split(splits, number):
            found.setdefault((entry.label, entry.video), {})[split] = entry.part
    partial = sorted("/".join(key) for key, parts in found.items() if len(parts) != len(OFFICIAL))
    if partial:
        raise FormatError(
            splits, f"{len(partial)} clips are not named by all three splits, such as {partial[0]}."
        )
    return found


def label_order(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels in the program's own order, where they are HMDB51's; else by name."""
    known = hmdb51_labels()
    return tuple(sorted(labels, key=lambda label: (known.index(label) if label in known else 99, label)))


def list_clips(
    folder: Path, official: Mapping[tuple[str, str], Mapping[str, Part | None]], *, seed: int
) -> tuple[IndexedClip, ...]:
    """The clips named by the split files that are there, with their parts; the random split is of all named ones.

    So a missing file changes nothing for the others.
    """
    keys = sorted(official)
    labels = label_order(sorted({label for label, _ in keys}))
    random = split_stratified(
        ["/".join(key) for key in keys], [label for label, _ in keys], shares=RANDOM_SHARES, seed=seed
    )
    clips = []
    for (label, name), part in zip(keys, random.parts, strict=True):
        file = folder / label / name
        if not file.is_file():
            continue
        parts: dict[str, Part] = {
            split: own for split, own in official[label, name].items() if own is not None
        }
        clips.append(
            IndexedClip(
                path=f"{label}/{name}",
                label=label,
                source=hmdb51_group(name, labels),
                parts={**parts, RANDOM: part},
                bytes=file.stat().st_size,
            )
        )
    return tuple(clips)


def faults(
    folder: Path,
    official: Mapping[tuple[str, str], Mapping[str, Part | None]],
    clips: Sequence[IndexedClip],
    *,
    expected: Expected | None,
) -> list[str]:
    """What differs from HMDB51 and from the split files, one sentence each; none is good.

    Args:
        folder: where the clips lie, in a folder a label.
        official: see ``official_parts``.
        clips: see ``list_clips``.
        expected: None for a set that is not HMDB51 itself, only in its layout.
    """
    wrong = []
    named, there = Counter(label for label, _ in official), Counter(clip.label for clip in clips)
    for label in sorted(named):
        if not there[label]:
            wrong.append(f"class {label} is missing ({named[label]} clips).")
        elif there[label] < named[label]:
            wrong.append(f"class {label} lacks {named[label] - there[label]} of its {named[label]} clips.")
    present = {path.relative_to(folder).as_posix() for path in folder.glob("*/*") if path.suffix == ".avi"}
    unnamed = sorted(present - {"/".join(key) for key in official})
    if unnamed:
        wrong.append(f"{len(unnamed)} files are in no split file, such as {unnamed[0]}.")
    if expected is None:
        return wrong
    if (len(clips), len(there)) != (expected.clips, expected.labels):
        wrong.append(
            f"there are {len(clips)} clips in {len(there)} classes; "
            f"HMDB51 has {expected.clips} in {expected.labels}."
        )
    for split in OFFICIAL:
        parts = Counter((label, own[split]) for (label, _), own in official.items())
        odd = [
            label
            for label in sorted(named)
            if (parts[label, "train"], parts[label, "test"])
            != (expected.train_of_label, expected.test_of_label)
        ]
        if odd:
            wrong.append(
                f"{split} does not have {expected.train_of_label} clips of train and {expected.test_of_label} "
                f"of test in {len(odd)} classes, such as {odd[0]}."
            )
    return wrong


def save_index(path: Path, index: Index) -> None:
    """Writes the index, whole or not at all."""
    own = index.folder.absolute() == (path.parent / VIDEOS).absolute()
    values = {
        "v": _VERSION,
        "videos": None if own else str(index.folder.absolute()),
        "labels": list(index.labels),
        "random_seed": index.random_seed,
        "clips": [asdict(clip) for clip in index.clips],
    }
    text = json.dumps(values, ensure_ascii=False, indent=0)
    write_whole(path, lambda file: file.write(text.encode("utf-8")))


def load_index(path: Path) -> Index:
    """Reads what ``save_index`` wrote; ``path`` is the file or its folder.

    Raises:
        FileNotFoundError: it is not there.
        FormatError: it is damaged, or made by a newer version.
    """
    path = path / INDEX if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; make it with training.prepare")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["v"] != _VERSION:
            raise FormatError(path, f"this index has version {values['v']}; make it again.")
        return Index(
            folder=Path(values["videos"] or path.parent / VIDEOS),
            labels=tuple(values["labels"]),
            random_seed=values["random_seed"],
            clips=tuple(IndexedClip(**clip) for clip in values["clips"]),
        )
    except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise FormatError(
            path, f"the index is damaged ({error}). Make it again with training.prepare."
        ) from error
