"""From the archives, or folders, of HMDB51 to the index that the other recipes read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from training.hmdb51 import (
    INDEX,
    VIDEOS,
    Expected,
    Index,
    IndexedClip,
    faults,
    label_order,
    list_clips,
    load_index,
    official_parts,
    save_index,
)
from training.hmdb51_extract import extract_splits, extract_videos, splits_folder
from vidlabel.core.errors import FormatError
from vidlabel.core.words import FileEntry
from vidlabel.media.probe import probe_many

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to prepare.

    Attributes:
        videos: ``hmdb51_org.rar``, or a folder of class folders.
        splits: ``test_train_splits.rar``, or a folder with the split files.
        out: the folder for all of it.
        expected: what the set must hold; None for a small one in the same layout.
        incomplete: go on with what is there when something is missing.
        hashes: also note the SHA-256 of each file.
        seed: of the random split.
    """

    videos: Path
    splits: Path
    out: Path
    expected: Expected | None = field(default_factory=Expected)
    incomplete: bool = False
    hashes: bool = False
    seed: int = 0


def prepare_hmdb51(order: Order, *, say: Say = print) -> Index:
    """Unpacks, checks, reads every file once, and writes ``out/hmdb51.json``. What is done already is kept.

    Raises:
        FileNotFoundError: an archive or folder is not there.
        FormatError: an archive is damaged, or the set is not complete (and ``incomplete`` is not said).
        OSError: something cannot be written.
    """
    order.out.mkdir(parents=True, exist_ok=True)
    splits = order.splits
    if splits.is_file():
        splits = extract_splits(splits, order.out / "splits")
    official = official_parts(splits_folder(splits))
    videos = order.videos
    if videos.is_file():
        extract_videos(videos, order.out / VIDEOS, work=order.out, say=say)
        videos = order.out / VIDEOS
    elif not videos.is_dir():
        raise FileNotFoundError(f"{videos} is not there")
    clips = list_clips(videos, official, seed=order.seed)
    wrong = faults(videos, official, clips, expected=order.expected)
    for sentence in wrong:
        say(f"not as it should be: {sentence}")
    if wrong and not order.incomplete:
        raise FormatError(
            order.videos, f"{wrong[0]} {len(wrong)} faults in all. Fetch it again, or say --incomplete."
        )
    if not clips:
        raise FormatError(order.videos, "none of the clips that the split files name is there.")
    path = order.out / INDEX
    labels = label_order(sorted({label for label, _ in official}))
    known = _known(path, videos)
    index = Index(videos, labels, order.seed, read_files(videos, clips, known=known, hashes=order.hashes))
    save_index(path, index)
    for clip in index.clips:
        if clip.problem is not None:
            say(f"cannot be read: {clip.path}: {clip.problem}")
    return index


def read_files(
    videos: Path, clips: Sequence[IndexedClip], *, known: Sequence[IndexedClip] = (), hashes: bool = False
) -> tuple[IndexedClip, ...]:
    """The clips with what their files hold; a file that cannot be read has a ``problem``, never an error.

    Args:
        videos: what the clips' paths are relative to.
        clips: in the order wanted.
        known: read earlier; taken over where path and size are the same.
        hashes: note the SHA-256 as well.
    """
    earlier = {(clip.path, clip.bytes): clip for clip in known if clip.sha256 is not None or not hashes}
    found = {
        clip.path: replace(earlier[clip.path, clip.bytes], parts=clip.parts, source=clip.source)
        for clip in clips
        if (clip.path, clip.bytes) in earlier
    }
    unread = {clip.path: clip for clip in clips if clip.path not in found}
    entries = [_entry(videos, path) for path in unread]
    for result in probe_many(videos, entries, workers=os.cpu_count(), whole=lambda entry: hashes):
        clip = unread[result.entry.relative]
        if result.facts is None:
            found[clip.path] = replace(clip, sha256=result.content_hash, problem=result.reason)
            continue
        found[clip.path] = replace(
            clip,
            sha256=result.content_hash,
            frames=result.facts.frames,
            fps=round(float(result.facts.fps), 6),
            width=result.facts.width,
            height=result.facts.height,
        )
    return tuple(found[clip.path] for clip in clips)


def _entry(videos: Path, relative: str) -> FileEntry:
    status = (videos / relative).stat()
    return FileEntry(relative=relative, size=status.st_size, mtime_ns=status.st_mtime_ns)


def _known(path: Path, videos: Path) -> tuple[IndexedClip, ...]:
    """What an index made before knows of these very files."""
    try:
        before = load_index(path)
    except (FileNotFoundError, FormatError):
        return ()
    return before.clips if before.folder.absolute() == videos.absolute() else ()
