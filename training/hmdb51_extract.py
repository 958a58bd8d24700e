"""Unpacks HMDB51 as the lab ships it: one RAR that holds 51 RARs, one a class, and one RAR of split files.

It can be stopped and started again: a class that is done is noted in ``extracted.json``, and of a class that is not
done the clips that are there in full are kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from training.files import write_whole
from training.rar_files import Member, RarArchive
from vidlabel.core.errors import FormatError

DONE = "extracted.json"
_SPLIT_FILES = "_test_split*.txt"

Say = Callable[[str], None]


def extract_videos(archive: Path, out: Path, *, work: Path, say: Say = print) -> None:
    """Unpacks every class of the outer archive to ``out/<class>/<clip>.avi``.

    Args:
        archive: ``hmdb51_org.rar``.
        out: the folder for the class folders.
        work: for one class archive at a time, and the note of what is done.
        say: told of each class.

    Raises:
        FileNotFoundError: there is no such archive.
        FormatError: an archive is damaged or cut short, holds no class archives, or cannot be unpacked here.
        OSError: something cannot be written.
    """
    note = work / DONE
    done: dict[str, dict[str, int]] = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    with RarArchive(archive) as outer:
        classes = [member for member in outer.members if member.base.lower().endswith(".rar")]
        if not classes:
            raise FormatError(archive, "it holds no archive of a class. Is it hmdb51_org.rar?")
        for number, member in enumerate(classes, start=1):
            label = member.base[: -len(".rar")]
            if _is_done(done.get(label), out / label, packed=member.size):
                continue
            clips = _extract_class(outer, member, out / label, work=work)
            done[label] = {"packed": member.size, "clips": clips}
            text = json.dumps(done, indent=1, sort_keys=True)
            write_whole(note, lambda file, text=text: file.write(text.encode()))  # type: ignore[misc]
            say(f"{label}: {clips} clips ({number} of {len(classes)} classes)")


def extract_splits(archive: Path, out: Path) -> Path:
    """Unpacks the split files of ``test_train_splits.rar`` into one folder, which is the answer.

    Raises:
        FileNotFoundError, FormatError, OSError: as ``extract_videos``.
    """
    with RarArchive(archive) as splits:
        members = [member for member in splits.members if Path(member.base).match("*" + _SPLIT_FILES)]
        if not members:
            raise FormatError(archive, "it holds no split files. Is it test_train_splits.rar?")
        for member in members:
            splits.extract(member, out / member.base)
    return out


def splits_folder(folder: Path) -> Path:
    """The folder with the split files: the one given, or the one below it.

    Raises:
        FormatError: there is none.
    """
    for found in (folder, *sorted(path for path in folder.rglob("*") if path.is_dir())):
        if any(found.glob("*" + _SPLIT_FILES)):
            return found
    raise FormatError(folder, "there are no files *_test_split1.txt in it.")


def _is_done(noted: dict[str, int] | None, folder: Path, *, packed: int) -> bool:
    if noted is None or noted["packed"] != packed:
        return False
    return sum(1 for _ in folder.glob("*.avi")) >= noted["clips"]


def _extract_class(outer: RarArchive, member: Member, out: Path, *, work: Path) -> int:
    """Unpacks one class archive out of the outer one and its clips out of that; answers their number."""
    packed = work / "packed" / member.base
    if not packed.is_file() or packed.stat().st_size != member.size:
        outer.extract(member, packed)
    with RarArchive(packed) as inner:
        clips = [clip for clip in inner.members if clip.base.lower().endswith(".avi")]
        if not clips:
            raise FormatError(outer.path, f"its archive '{member.name}' holds no clips.")
        twice = len(clips) - len({clip.base for clip in clips})
        if twice:
            raise FormatError(outer.path, f"its archive '{member.name}' has {twice} names twice.")
        for clip in clips:
            target = out / clip.base
            if not target.is_file() or target.stat().st_size != clip.size:
                inner.extract(clip, target)
    packed.unlink()
    return len(clips)
