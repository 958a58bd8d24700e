"""Which clips a model is fitted on and which it is measured with. The same seed gives the same split.

Clips cut from one film look alike: with some in train and some in test the measure says how well the film was
remembered. A split by source keeps each source whole.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from vidlabel.core.errors import FormatError
from vidlabel.core.snapshot import PARTS, Part

NOTHING: Mapping[str, Part] = MappingProxyType({})
DEFAULT_SHARES: Mapping[Part, float] = {"train": 0.7, "validation": 0.15, "test": 0.15}

_HMDB51_TAIL = r"_(?:h|u|f|l)_(?:cm|nm)_np\d+_(?:fr|ba|le|ri)_(?:bad|med|goo)_\d+"
_HMDB51_PARTS: Mapping[str, Part | None] = {"0": None, "1": "train", "2": "test"}


@dataclass(frozen=True)
class Split:
    """The part of each clip, in the order given, and the labels too rare to be in every part."""

    parts: tuple[Part, ...]
    incomplete: tuple[str, ...] = ()

    def indices(self, part: Part) -> tuple[int, ...]:
        """The places of the clips of one part."""
        return tuple(index for index, own in enumerate(self.parts) if own == part)


@dataclass(frozen=True)
class OfficialEntry:
    """One line of an official split: ``part`` is None for a clip the split does not use."""

    video: str
    label: str
    part: Part | None


def split_by_source(
    sources: Sequence[str],
    labels: Sequence[str],
    *,
    shares: Mapping[Part, float] = DEFAULT_SHARES,
    seed: int = 0,
    fixed: Mapping[str, Part] = NOTHING,
) -> Split:
    """Deals whole sources to the parts so that each label comes near its share in each.

    Sources leave train one by one, rarest labels first and else by chance, while that brings a held-out
    part nearer to its shares (after Sechidis et al. 2011, "On the Stratification of Multi-Label Data").
    A label with fewer sources than there are parts stays in train with all of them, and is reported.

    Args:
        sources: the source of each clip (film, recording day, animal, ...).
        labels: the label of each clip.
        shares: of the parts wanted; they add up to 1, and train is one of them.
        seed: of the chance.
        fixed: sources that have their part already; the others make up what is missing.

    Raises:
        ValueError: lengths or shares do not fit.
    """
    wanted = _checked_shares(shares)
    if len(sources) != len(labels):
        raise ValueError(f"{len(sources)} sources do not go with {len(labels)} labels")
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for source, label in zip(sources, labels, strict=True):
        sizes[source][label] += 1
    names = sorted(sizes)
    np.random.default_rng(seed).shuffle(names)
    holders: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for label in sizes[name]:
            holders[label].append(name)
    home: dict[str, Part] = {name: fixed.get(name, "train") for name in names}
    dealing = _Dealing(sizes, holders, home, fixed=fixed, wanted=wanted)
    for part in wanted:
        if part != "train":
            dealing.fill(part)
    parts = tuple(home[source] for source in sources)
    return Split(parts, _incomplete(parts, labels, len(wanted)))


def split_stratified(
    keys: Sequence[str],
    labels: Sequence[str],
    *,
    shares: Mapping[Part, float] = DEFAULT_SHARES,
    seed: int = 0,
    fixed: Mapping[str, Part] = NOTHING,
) -> Split:
    """Deals the clips of each label to the parts by chance; for footage where each clip is its own source.

    A label with fewer clips than there are parts stays in train, and is reported.

    Args:
        keys: one different name a clip; the split does not depend on the order the clips come in.
        labels: the label of each clip.
        shares: of the parts wanted; they add up to 1, and train is one of them.
        seed: of the chance.
        fixed: clips that have their part already, by key; the others make up what is missing.

    Raises:
        ValueError: lengths or shares do not fit, or a key stands twice.
    """
    wanted = _checked_shares(shares)
    if len(keys) != len(labels) or len(set(keys)) != len(keys):
        raise ValueError("there must be one label and one different key a clip")
    members: dict[str, list[int]] = defaultdict(list)
    for index in sorted(range(len(keys)), key=lambda index: keys[index]):
        members[labels[index]].append(index)
    parts: list[Part] = [fixed.get(key, "train") for key in keys]
    rng = np.random.default_rng(seed)
    for label in sorted(members):
        own = members[label]
        if len(own) < len(wanted):
            continue
        open_ = [own[int(place)] for place in rng.permutation(len(own)) if keys[own[int(place)]] not in fixed]
        settled = Counter(parts[index] for index in own if keys[index] in fixed)
        for part, count in _quotas(len(own), wanted).items():
            taken = max(0, count - settled[part])
            for index in open_[:taken]:
                parts[index] = part
            open_ = open_[taken:]
    return Split(tuple(parts), _incomplete(parts, labels, len(wanted)))


def hmdb51_group(name: str, labels: Sequence[str]) -> str:
    """The source of an HMDB51 clip: what stands before ``_<label>_`` in its name.

    Args:
        name: file name, with or without folder and extension.
        labels: the labels that can stand in a name; of ``draw_sword`` and ``sword`` the longer one counts.

    Returns:
        The source, or the whole stem where the name is not built like HMDB51's.
    """
    stem = re.sub(r"\.\w{2,4}$", "", name.replace("\\", "/").rsplit("/", 1)[-1])
    found = _hmdb51_pattern(tuple(labels)).fullmatch(stem)
    return found["source"] if found else stem


def read_hmdb51_split(folder: Path, number: int) -> tuple[OfficialEntry, ...]:
    """Reads ``<label>_test_split<number>.txt`` of every label in a folder, by label and line.

    Args:
        folder: such as ``testTrainMulti_7030_splits``.
        number: 1, 2 or 3.

    Raises:
        FormatError: the folder has no such files, or a line is not ``<name>.avi 0|1|2``.
    """
    tail = f"_test_split{number}.txt"
    files = sorted(folder.glob(f"*{tail}"))
    if not files:
        raise FormatError(folder, f"there is no file *{tail} here. Choose the folder with the split files.")
    entries: list[OfficialEntry] = []
    for path in files:
        label = path.name.removesuffix(tail)
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not text.strip():
                continue
            video, _, part = text.strip().rpartition(" ")
            if not video or part not in _HMDB51_PARTS:
                raise FormatError(path, f"expected '<name>.avi 0|1|2', found '{text.strip()}'.", line=line)
            entries.append(OfficialEntry(video.strip(), label, _HMDB51_PARTS[part]))
    return tuple(entries)


@lru_cache(maxsize=8)
def _hmdb51_pattern(labels: tuple[str, ...]) -> re.Pattern[str]:
    # The shortest source leaves the longest label: 'x_draw_sword_...' must not become source 'x_draw'.
    return re.compile(f"(?P<source>.+?)_(?:{'|'.join(map(re.escape, labels)) or '(?!)'}){_HMDB51_TAIL}")


class _Dealing:
    """Takes sources out of train for the held-out parts, until what is missing of each label is there.

    ``free`` counts the sources of each label still in train; ``needed`` of them must stay, for train itself and
    for the parts still to come that have none of it.
    """

    def __init__(
        self,
        sizes: Mapping[str, Counter[str]],
        holders: Mapping[str, Sequence[str]],
        home: dict[str, Part],
        *,
        fixed: Mapping[str, Part],
        wanted: Mapping[Part, float],
    ) -> None:
        self._sizes = sizes
        self._holders = holders
        self._home = home
        self._fixed = fixed
        self._wanted = wanted
        self._free: Counter[str] = Counter()
        self._held: dict[Part, Counter[str]] = {part: Counter() for part in wanted}
        self._totals: Counter[str] = Counter()
        for name, labels in sizes.items():
            self._totals += labels
            self._held.setdefault(home[name], Counter()).update(labels)
            if home[name] == "train":
                self._free.update(dict.fromkeys(labels, 1))
        empty = {label: sum(not held[label] for part, held in self._held.items() if part != "train")
                 for label in holders}  # fmt: skip
        self._rare = frozenset(
            label for label, count in empty.items() if count and self._free[label] <= count
        )
        self._needed = {label: count + 1 for label, count in empty.items()}
        self._missing: dict[str, float] = {}
        self._present: set[str] = set()

    def fill(self, part: Part) -> None:
        """Deals one held-out part, rarest labels first."""
        held = self._held[part]
        self._missing = {
            label: total * self._wanted[part] - held[label] for label, total in self._totals.items()
        }
        self._present = {label for label in self._totals if held[label]}
        for label in self._totals:
            self._needed[label] -= label not in self._present
        for label in sorted(self._holders, key=lambda label: (len(self._holders[label]), label)):
            spare = [
                name for name in self._holders[label]
                if self._home[name] == "train" and name not in self._fixed
            ]  # fmt: skip
            self._deal(label, spare, part)

    def _deal(self, label: str, names: Sequence[str], part: Part) -> None:
        """Takes the sources of a label that bring the part nearer to its shares; at least the smallest."""
        # Those that fit whole come first: taking whatever comes would leave most labels above their share.
        for suits in (self._fits_whole, self._brings_nearer):
            for name in names:
                if self._missing[label] > 0 and self._is_spare(name) and suits(name):
                    self._take(name, part)
        spare = [name for name in names if self._is_spare(name)]
        if label not in self._present and spare:
            self._take(min(spare, key=lambda name: self._sizes[name].total()), part)

    def _is_spare(self, name: str) -> bool:
        return self._home[name] == "train" and all(
            label not in self._rare and self._free[label] > self._needed[label] for label in self._sizes[name]
        )

    def _fits_whole(self, name: str) -> bool:
        return all(count <= self._missing[label] for label, count in self._sizes[name].items())

    def _brings_nearer(self, name: str) -> bool:
        # Squares: one label far above its share is worse than several a little off.
        change = (count * (count - 2 * self._missing[own]) for own, count in self._sizes[name].items())
        return sum(change) < 0

    def _take(self, name: str, part: Part) -> None:
        self._home[name] = part
        for label, count in self._sizes[name].items():
            self._present.add(label)
            self._missing[label] -= count
            self._free[label] -= 1


def _incomplete(parts: Sequence[Part], labels: Sequence[str], wanted: int) -> tuple[str, ...]:
    """The labels that do not occur in every part."""
    seen: dict[str, set[Part]] = defaultdict(set)
    for part, label in zip(parts, labels, strict=True):
        seen[label].add(part)
    return tuple(sorted(label for label, own in seen.items() if len(own) < wanted))


def _quotas(count: int, shares: Mapping[Part, float]) -> dict[Part, int]:
    """Whole numbers of clips near their shares, none below 1 (``count`` is at least the number of parts)."""
    quotas = {part: max(1, int(count * share)) for part, share in shares.items()}
    while (rest := count - sum(quotas.values())) != 0:
        step = 1 if rest > 0 else -1
        movable = [part for part in quotas if step > 0 or quotas[part] > 1]
        furthest = max(movable, key=lambda part: step * (count * shares[part] - quotas[part]))
        quotas[furthest] += step
    return quotas


def _checked_shares(shares: Mapping[Part, float]) -> dict[Part, float]:
    wanted = {part: shares[part] for part in PARTS if shares.get(part, 0) > 0}
    if "train" not in wanted or abs(sum(shares.values()) - 1) > 1e-6 or min(shares.values()) < 0:
        raise ValueError("shares must add up to 1, and train must be among them")
    return wanted
