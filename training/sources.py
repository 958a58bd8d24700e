"""Finds what the recipes learn from and are measured on, and keeps the official split's parts apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Part = Literal["train", "test", "unused", "withheld"]
SilhouetteNames = Literal["stored", "official"]

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = REPOSITORY.parent / "shared" / "data"

# Classes of UCF101 that mean a label of HMDB51.
UCF101_MEANS = {
    "Archery": "shoot_bow",
    "Biking": "ride_bike",
    "BasketballDunk": "shoot_ball",
    "BoxingPunchingBag": "punch",
    "BoxingSpeedBag": "punch",
    "Punch": "punch",
    "Diving": "dive",
    "CliffDiving": "dive",
    "Fencing": "fencing",
    "HorseRace": "ride_horse",
    "JavelinThrow": "throw",
    "ThrowDiscus": "throw",
    "Shotput": "throw",
    "HammerThrow": "throw",
    "LongJump": "jump",
    "HighJump": "jump",
    "RockClimbingIndoor": "climb",
    "RopeClimbing": "climb",
    "SoccerPenalty": "kick_ball",
    "WalkingWithDog": "walk",
    "WallPushups": "pushup",
}
_PARTS: dict[str, Part] = {"0": "unused", "1": "train", "2": "test"}
_AS_STORED = str.maketrans("#&", "@@")
_VIDEOS = (".avi", ".mp4", ".mkv", ".mov")


@dataclass(frozen=True)
class RealClip:
    """A real clip that nothing here is trained on."""

    path: Path
    label: str
    source: Literal["hmdb51", "ucf101"]


def hmdb51_labels() -> tuple[str, ...]:
    """The 51 labels, in the order of the bundled model's outputs."""
    listed = json.loads((REPOSITORY / "resources" / "label_sets" / "hmdb51.json").read_text(encoding="utf-8"))
    return tuple(listed["labels"])


def official_split(data: Path, number: int = 1) -> dict[str, dict[str, Part]]:
    """Label -> clip name without suffix -> part, out of HMDB51's own split files.

    Raises:
        FileNotFoundError: the split files are not there.
        ValueError: a line is not a name and a part.
    """
    folder = data / "hmdb51_splits" / "testTrainMulti_7030_splits"
    files = sorted(folder.glob(f"*_test_split{number}.txt"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no files of split {number}")
    split: dict[str, dict[str, Part]] = {}
    for file in files:
        label = file.name.removesuffix(f"_test_split{number}.txt")
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.strip():
                name, _, part = line.strip().rpartition(" ")
                if part not in _PARTS:
                    raise ValueError(f"{file}: {line!r} is not a clip and its part")
                split.setdefault(label, {})[Path(name.strip()).stem] = _PARTS[part]
    return split


def real_clips(data: Path) -> list[RealClip]:
    """Every real clip whose label is one of the 51, in order of path."""
    known = set(hmdb51_labels())
    found = []
    for path in sorted((data / "hmdb51_clips").glob("*/*")):
        if path.suffix.lower() in _VIDEOS and path.parent.name in known:
            found.append(RealClip(path, path.parent.name, "hmdb51"))
    for path in sorted((data / "ucf101_clips").glob("*/*")):
        if path.suffix.lower() in _VIDEOS and path.parent.name in UCF101_MEANS:
            found.append(RealClip(path, UCF101_MEANS[path.parent.name], "ucf101"))
    return found


def source_of(name: str, label: str) -> str:
    """The film or upload a clip was cut from: what stands before its label in its name."""
    return name.split(f"_{label}_")[0]


def silhouette_files(
    data: Path, split: dict[str, dict[str, Part]], *, names: SilhouetteNames = "stored"
) -> list[tuple[Path, str, Part]]:
    """Every silhouette sequence with its label and its part of the split (by name), in order of path.

    A training sequence cut from the same film as one of the real clips is "withheld": the real clips measure what
    was never seen, not even in outline.

    Args:
        data: folder with the footage.
        split: see ``official_split``.
        names: 16 files have ``@`` where the split files have ``#`` or ``&``. As "stored" these match no line and are
            "unused", which in split 1 leaves 650 sequences to train and 256 to test, the numbers of every figure
            published here; with "official" names 15 more are train's and one more is test's. Six match no line
            either way: HMDB51 has them under another label.
    """
    films = {source_of(clip.path.stem, clip.label) for clip in real_clips(data) if clip.source == "hmdb51"}
    found: list[tuple[Path, str, Part]] = []
    for path in sorted((data / "jhmdb_masks").glob("*/*.mat")):
        label = path.parent.name
        own = split.get(label, {})
        name = path.stem
        if names == "official":
            name = next((line for line in own if line.translate(_AS_STORED) == path.stem), name)
        part = own.get(name, "unused")
        if part == "train" and source_of(name, label) in films:
            part = "withheld"
        found.append((path, label, part))
    return found
