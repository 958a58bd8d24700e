"""What a run learns from: an immutable, hashed list of clips with their labels and parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vidlabel.core.errors import FormatError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")

SplitKind = Literal["by-source", "random", "official"]
SPLIT_KINDS: tuple[SplitKind, ...] = ("by-source", "random", "official")

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotClip:
    """One labelled clip.

    Attributes:
        content_hash: of the whole video file.
        start_us, end_us: microseconds of presentation time, start inclusive, end exclusive.
        label: as decided when the snapshot was made.
        part: what it is used for.
        source: what is never divided between parts: film, recording, folder.
        path: where the video was then; where it is now may be elsewhere, so it is not hashed.
        clip_id: of the project; not hashed either.
    """

    content_hash: str
    start_us: int
    end_us: int
    label: str
    part: Part
    source: str
    path: Path
    clip_id: int

    @property
    def key(self) -> tuple[str, int, int]:
        """What it is, wherever it lies."""
        return (self.content_hash, self.start_us, self.end_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Which clips, with which labels, in which part.

    Attributes:
        clips: sorted by content and time.
        labels: the label list that the model will have, in order; each label of a clip is among them.
        split: how clips were dealt to the parts.
        sources: by what clips were kept together, in words of ``--source``; "" where nothing was.
        seed: of the split.
        filters: what the person restricted the clips to; {} is nothing.
        program: version of vidlabel.
        made_at_us: microseconds since 1970.
    """

    clips: tuple[SnapshotClip, ...]
    labels: tuple[str, ...]
    split: SplitKind
    sources: str = ""
    seed: int = 0
    filters: Mapping[str, Any] = field(default_factory=dict)
    program: str = ""
    made_at_us: int = 0

    def of(self, part: Part) -> tuple[SnapshotClip, ...]:
        """The clips of one part."""
        return tuple(clip for clip in self.clips if clip.part == part)

    @property
    def hash(self) -> str:
        """SHA-256 in hex of everything that matters: the same clips, labels and parts have the same one."""
        content = self.to_json()
        for name in ("made_at_us", "program"):
            del content[name]
        content["clips"] = [clip[:6] for clip in content["clips"]]
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Plain values; a clip is a list in the order of its attributes."""
        return {
            "format": FORMAT,
            "labels": list(self.labels),
            "split": self.split,
            "sources": self.sources,
            "seed": self.seed,
            "filters": dict(self.filters),
            "program": self.program,
            "made_at_us": self.made_at_us,
            "clips": [
                [one.content_hash, one.start_us, one.end_us, one.label, one.part, one.source, str(one.path),
                 one.clip_id]
                for one in self.clips
            ],
        }  # fmt: skip

    @classmethod
    def from_json(cls, content: Mapping[str, Any], path: Path) -> Snapshot:
        """The reverse of ``to_json``; ``path`` is the file it was read from, for the words of an error.

        Raises:
            FormatError: it is not a snapshot, or one of a newer program.
        """
        if content.get("format") != FORMAT:
            raise FormatError(
                path, "it is no snapshot of this version of vidlabel. Is the program up to date?"
            )
        try:
            return cls(
                clips=tuple(
                    SnapshotClip(
                        content_hash=str(one[0]), start_us=int(one[1]), end_us=int(one[2]), label=str(one[3]),
                        part=one[4], source=str(one[5]), path=Path(one[6]), clip_id=int(one[7]),
                    )
                    for one in content["clips"]
                ),
                labels=tuple(content["labels"]), split=content["split"], sources=content["sources"],
                seed=content["seed"], filters=content["filters"], program=content["program"],
                made_at_us=content["made_at_us"],
            )  # fmt: skip
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FormatError(path, f"the snapshot is damaged ({error}).") from error
