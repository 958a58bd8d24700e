from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.conftest import Footage
from vidlabel.core.errors import StoppedError, TrainingError
from vidlabel.core.snapshot import Snapshot, SplitKind
from vidlabel.core.words import ClipQuery, DecisionKind, NewDecision
from vidlabel.learning.parting import OfficialSplit, Past, ToDeal, deal
from vidlabel.learning.snapshots import Prepared, prepare
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.snapshots import Dealt

TRUNK = "ab" * 16


class Curated(Footage):
    """Footage whose clips are labelled: ``{relative: label}``."""

    def label(self, labels: dict[str, str]) -> None:
        for relative in labels:
            if not (self.folder / relative).exists():
                self.write(relative, f"content of {relative}")
        self.scan()
        self.store.decide(
            [
                NewDecision(clip_id=self.clip(relative), kind=DecisionKind.LABELLED, label=label)
                for relative, label in labels.items()
            ],
            annotator="me",
        )


@pytest.fixture
def footage(tmp_path: Path) -> Iterator[Curated]:
    with ProjectStore.open(tmp_path / "p.vidlabel", create=True) as store:
        yield Curated(store, tmp_path / "media")


def films(first: int, last: int, label: str, clips: int = 3) -> dict[str, str]:
    """Clips named as HMDB51 names them, some of each film."""
    return {
        f"{label}/film{number:02d}_{label}_f_cm_np1_fr_med_{take}.mp4": label
        for number in range(first, last)
        for take in range(clips)
    }


def parts_by_source(snapshot: Snapshot) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for clip in snapshot.clips:
        found[clip.source].add(clip.part)
    return found


def keep(store: ProjectStore, prepared: Prepared) -> dict[tuple[str, int, int], str]:
    store.snapshots.keep(prepared.snapshot, deal_anew=prepared.new_test)
    return {clip.key: clip.part for clip in prepared.snapshot.clips}


def test_films_stay_whole_and_hashes_are_made(footage: Curated) -> None:
    footage.label(films(0, 8, "wave") | films(8, 16, "run"))
    told: list[tuple[int, int]] = []
    prepared = prepare(footage.store, on_progress=lambda done, total: told.append((done, total)))
    snapshot, report = prepared.snapshot, prepared.preflight
    assert told[-1] == (48, 48)
    assert snapshot.sources == "name"
    assert len(snapshot.clips) == 48
    assert all(len(clip.content_hash) == 64 for clip in snapshot.clips)
    assert {len(parts) for parts in parts_by_source(snapshot).values()} == {1}
    assert snapshot.labels == ("run", "wave")
    assert report.blockers == ()
    assert report.too_small == ()
    assert [(one.train + one.validation + one.test, one.sources) for one in report.counts] == [
        (24, 8),
        (24, 8),
    ]
    assert (report.leak.clips, report.leak_random.clips > 0) == (0, True)
    assert "random split would have put" in " ".join(report.words())
    assert footage.store.videos_without_hash(1) == []


def test_the_same_curation_has_the_same_hash(footage: Curated) -> None:
    footage.label(films(0, 6, "wave") | films(6, 12, "run"))
    one, other = prepare(footage.store, seed=4), prepare(footage.store, seed=4)
    assert one.snapshot.hash == other.snapshot.hash
    assert prepare(footage.store, seed=5).snapshot.hash != one.snapshot.hash
    filtered = prepare(footage.store, ClipQuery(labels=frozenset({"run"}))).snapshot
    assert (filtered.filters, filtered.labels) == ({"labels": ["run"]}, ("run",))


def test_the_frozen_test_stays_and_new_films_add_to_it(footage: Curated) -> None:
    footage.label(films(0, 8, "wave") | films(8, 16, "run"))
    before = keep(footage.store, prepare(footage.store, seed=1))
    footage.label(films(16, 24, "wave") | films(24, 32, "run"))
    prepared = prepare(footage.store, seed=2)
    now = {clip.key: clip.part for clip in prepared.snapshot.clips}
    assert {key: now[key] for key in before} == before
    new = [part for key, part in now.items() if key not in before]
    assert {"train", "test"} <= set(new)
    assert prepared.preflight.frozen == sum(part == "test" for part in before.values())
    anew = prepare(footage.store, seed=2, new_test=True)
    assert any(before[clip.key] != clip.part for clip in anew.snapshot.clips if clip.key in before)


def test_another_clip_of_a_test_film_is_never_learned_from(footage: Curated) -> None:
    footage.label(films(0, 8, "wave") | films(8, 16, "run"))
    first = prepare(footage.store)
    keep(footage.store, first)
    film = next(clip.source for clip in first.snapshot.clips if clip.part == "test")
    label = next(clip.label for clip in first.snapshot.clips if clip.source == film)
    footage.store.decide(
        [
            NewDecision(clip_id=clip.clip_id, kind=DecisionKind.UNSURE)
            for clip in first.snapshot.clips
            if clip.source == film
        ],
        annotator="me",
    )
    footage.label({f"later/{film}_{label}_f_cm_np1_fr_med_77.mp4": label})
    again = prepare(footage.store).snapshot
    assert [clip.part for clip in again.clips if clip.source == film] == ["test"]


def test_copies_do_not_straddle_though_their_sources_differ(footage: Curated) -> None:
    labels = {f"{number:02d}.mp4": ("wave", "run")[number % 2] for number in range(40)}
    footage.label(labels)
    rng = np.random.default_rng(0)
    looks = {name: rng.standard_normal(64) for name in labels}
    for number in range(0, 40, 4):  # each with the one two after it, of the same label
        looks[f"{number + 2:02d}.mp4"] = looks[f"{number:02d}.mp4"] + 0.05 * rng.standard_normal(64)
    footage.store.embeddings.save(
        TRUNK, {footage.clip(name): look.astype(np.float16) for name, look in looks.items()}
    )
    prepared = prepare(footage.store, sources="video")
    part = {clip.path.name: clip.part for clip in prepared.snapshot.clips}
    assert all(part[f"{number:02d}.mp4"] == part[f"{number + 2:02d}.mp4"] for number in range(0, 40, 4))
    assert len(set(part.values())) == 3
    assert (prepared.preflight.near_duplicates, prepared.preflight.not_compared) == (20, 0)
    assert not any("embedding" in line for line in prepared.preflight.warnings)


def test_clips_that_could_not_be_compared_are_told(footage: Curated) -> None:
    footage.label(films(0, 4, "wave") | films(4, 8, "run"))
    none = prepare(footage.store).preflight
    assert none.not_compared == none.to_json()["not_compared"] == 24
    assert any(line.startswith("None of the clips could be compared") for line in none.words())
    names = list(films(0, 4, "wave"))[:5]
    rng = np.random.default_rng(0)
    footage.store.embeddings.save(
        TRUNK, {footage.clip(name): rng.standard_normal(64).astype(np.float16) for name in names}
    )
    some = prepare(footage.store).preflight
    assert some.not_compared == 19
    (line,) = [line for line in some.words() if "embedding" in line]
    assert line.startswith("19 of 24 clips") and "vidlabel suggest" in line
    (chance,) = [
        line for line in prepare(footage.store, split="random").preflight.words() if "embedding" in line
    ]
    assert "are not counted" in chance


def test_a_random_split_divides_films_and_says_how_much(footage: Curated) -> None:
    footage.label(films(0, 6, "wave", 6) | films(6, 12, "run", 6))
    prepared = prepare(footage.store, split="random")
    assert max(len(parts) for parts in parts_by_source(prepared.snapshot).values()) > 1
    assert prepared.snapshot.sources == ""
    assert prepared.preflight.leak.clips > 0
    assert any("better than it is" in line for line in prepared.preflight.warnings)


def test_what_cannot_be_used_is_left_out_and_told(footage: Curated) -> None:
    footage.label(films(0, 8, "wave") | films(8, 16, "run") | films(16, 17, "jump"))
    gone = next(iter(films(0, 1, "wave")))
    (footage.folder / gone).unlink()
    label = footage.store.find_label("jump")
    assert label is not None
    footage.store.retire_label(label.id)
    report = prepare(footage.store).preflight
    assert [path.as_posix().endswith(gone) for path in report.missing] == [True]
    assert report.left_out == (
        "1 clip left out: their files are missing.",
        "3 clips left out: their label is retired or not in the label set.",
    )
    assert sum(one.train + one.validation + one.test for one in report.counts) == 47


def test_too_little_is_no_error_but_blocks_a_run(footage: Curated) -> None:
    assert prepare(footage.store).preflight.blockers == ("No clip has a label yet. Label some first.",)
    footage.label({"a.mp4": "wave"})
    assert "model needs two" in prepare(footage.store).preflight.blockers[0]
    footage.label({"b.mp4": "run"})
    report = prepare(footage.store).preflight
    assert "no validation clips" in report.blockers[0]
    assert set(report.too_small) == {"wave", "run"}


def test_it_can_be_stopped(footage: Curated) -> None:
    footage.label({"a.mp4": "wave"})
    with pytest.raises(StoppedError):
        prepare(footage.store, should_stop=lambda: True)


def test_sources_can_be_named_in_a_file(footage: Curated, tmp_path: Path) -> None:
    footage.label({f"{number}.mp4": ("wave", "run")[number % 2] for number in range(20)})
    table = tmp_path / "who.csv"
    table.write_text("video,source\n" + "".join(f"{n}.mp4,person {n // 4}\n" for n in range(19)))
    prepared = prepare(footage.store, sources=str(table))
    sources = {clip.path.name: clip.source for clip in prepared.snapshot.clips}
    assert (sources["4.mp4"], sources["7.mp4"]) == ("person 1", "person 1")
    assert {len(parts) for parts in parts_by_source(prepared.snapshot).values()} == {1}
    assert any("names no source" in line for line in prepared.preflight.warnings)


def test_folders_that_are_labels_are_no_sources(footage: Curated) -> None:
    labels = {f"{label}/{number}.mp4": label for label in ("wave", "run") for number in range(6)}
    footage.label(labels)
    assert prepare(footage.store).snapshot.sources == "video"
    days = {f"day {number}/{label}.mp4": label for label in ("wave", "run") for number in range(6)}
    footage.store.decide(
        [NewDecision(clip_id=footage.clip(name), kind=DecisionKind.UNSURE) for name in labels], annotator="me"
    )
    footage.label(days)
    assert prepare(footage.store).snapshot.sources == "folder"


def test_the_official_split_holds_to_its_files(footage: Curated, tmp_path: Path) -> None:
    labels = films(0, 10, "wave") | films(10, 20, "run")
    footage.label(labels)
    folder = tmp_path / "splits"
    folder.mkdir()
    wanted = {}
    for label in ("wave", "run"):
        lines = []
        for place, name in enumerate(sorted(name for name, own in labels.items() if own == label)):
            wanted[Path(name).stem] = part = 2 if place < 6 else 0 if place < 9 else 1
            lines.append(f"{Path(name).stem}.avi {part}")
        (folder / f"{label}_test_split1.txt").write_text("\n".join(lines))
    prepared = prepare(footage.store, split="official", official=OfficialSplit(folder, 1))
    parts = {clip.path.stem: clip.part for clip in prepared.snapshot.clips}
    assert {stem for stem, part in parts.items() if part == "test"} == {
        s for s, p in wanted.items() if p == 2
    }
    assert {stem for stem, part in parts.items() if part != "test"} == {
        s for s, p in wanted.items() if p == 1
    }
    assert "validation" in parts.values()
    assert {len(own) for own in parts_by_source(prepared.snapshot).values()} == {1}
    assert prepared.preflight.left_out == ("6 clips left out: the official split does not use them.",)
    with pytest.raises(TrainingError, match="split files"):
        prepare(footage.store, split="official")


def test_a_read_only_project_can_be_prepared(footage: Curated) -> None:
    footage.label(films(0, 6, "wave") | films(6, 12, "run"))
    footage.store.close()
    with ProjectStore.open(footage.store.path, read_only=True) as store:
        prepared = prepare(store)
    assert len(prepared.snapshot.clips) == 36


def test_neither_torch_nor_a_decoder_is_needed() -> None:
    code = (
        "import sys; import vidlabel.learning.snapshots, vidlabel.learning.run_records\n"
        "assert not {'torch', 'cv2', 'av', 'PySide6'} & set(sys.modules)\n"
        "assert not [name for name in sys.modules if name.startswith(('vidlabel.ml', 'vidlabel.media'))]\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


CLIPS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 14), st.integers(0, 3)), min_size=1, max_size=60
)


def to_deal(found: list[tuple[int, int, int]], first: int = 0) -> list[ToDeal]:
    """Clips of sources that are joined to groups: all of a source are in one group."""
    return [
        ToDeal((f"c{first + place}", 0, 1), f"l{label}", f"s{source}", f"g{source // 3}", f"{place}.mp4")
        for place, (source, _, label) in enumerate(found)
    ]


def kept(clips: list[ToDeal], parts: tuple[str | None, ...]) -> dict[tuple[str, int, int], Dealt]:
    return {
        clip.key: Dealt(part, clip.source)  # type: ignore[arg-type]
        for clip, part in zip(clips, parts, strict=True)
        if part is not None
    }


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(found=CLIPS, more=CLIPS, seeds=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_no_group_is_ever_in_two_parts_and_test_stays_test(
    found: list[tuple[int, int, int]], more: list[tuple[int, int, int]], seeds: tuple[int, int]
) -> None:
    clips = to_deal(found)
    first = deal(clips, "by-source", past=Past({}), seed=seeds[0])
    both = clips + to_deal(more, len(clips))
    second = deal(both, "by-source", past=Past(kept(clips, first.parts)), seed=seeds[1])
    for cards, hand in ((clips, first), (both, second)):
        homes: dict[str, set[str]] = defaultdict(set)
        for card, part in zip(cards, hand.parts, strict=True):
            if part is not None:
                homes[card.group].add(part)
        assert all(len(parts) == 1 for parts in homes.values())
    for before, now in zip(first.parts, second.parts, strict=False):
        assert now == before


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(found=CLIPS, more=CLIPS, kinds=st.tuples(*[st.sampled_from(["by-source", "random"])] * 2))
def test_whatever_the_split_test_and_train_never_change_sides(
    found: list[tuple[int, int, int]], more: list[tuple[int, int, int]], kinds: tuple[SplitKind, SplitKind]
) -> None:
    clips = to_deal(found)
    first = deal(clips, kinds[0], past=Past({}))
    both = clips + to_deal(more, len(clips))
    second = deal(both, kinds[1], past=Past(kept(clips, first.parts)))
    for before, now in zip(first.parts, second.parts, strict=False):
        assert (before == "test") <= (now == "test")
        assert (before == "train") <= (now in ("train", None))
