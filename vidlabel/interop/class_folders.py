"""Class folders, out: ``<label>/<file>`` with links to or copies of the videos; marked clips cut."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from vidlabel.core.errors import MediaError
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.interop.record import ClipRecord
from vidlabel.interop.report import ExportReport

Cut = Callable[[ClipRow, Path], None]
"""Writes the frames of a marked clip, exactly, to a new file. Raises MediaError."""

CUT_SUFFIX = ".mp4"
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class Place(StrEnum):
    """How a whole video is put into its folder."""

    LINK = "link"
    COPY = "copy"


@dataclass(slots=True)
class _Names:
    """Which names are taken, without regard to case: many disks do not tell it apart."""

    folders: dict[str, str] = field(default_factory=dict)
    taken: set[tuple[str, str]] = field(default_factory=set)


def write(
    folder: Path, records: Iterable[ClipRecord], *, place: Place = Place.LINK, cut: Cut | None = None
) -> ExportReport:
    """Fills ``folder`` with one folder a label.

    Args:
        folder: made where needed; what is in it already stays.
        records: clips; those without a label, and files that are not there, are reported.
        place: links (symbolic, else hard, else a copy) or always copies.
        cut: None leaves marked clips out and reports them.

    Raises:
        OSError: the folder cannot be written.
    """
    report = ExportReport()
    names = _Names()
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        row = record.row
        lost = _why_not(row, cut)
        if lost is not None:
            report.not_held[lost] += 1
            continue
        if _put(folder, row, names=names, report=report, place=place, cut=cut):
            report.written += 1
            report.not_held.update(_details_lost(record))
    return report


def _why_not(row: ClipRow, cut: Cut | None) -> str | None:
    if row.label is None:
        return "clips without a label"
    if row.state is ClipState.MISSING:
        return "labelled clips whose file is missing"
    if row.state is ClipState.UNREADABLE:
        return "labelled clips whose file cannot be read"
    if not row.whole and cut is None:
        return "marked clips (`vidlabel export --cut-clips` cuts them out)"
    return None


def _details_lost(record: ClipRecord) -> dict[str, int]:
    lost = {
        "decisions' annotators and times": 1,
        "suggestions": len(record.suggestion.scores) if record.suggestion else 0,
    }
    return {kind: count for kind, count in lost.items() if count}


def _put(
    folder: Path, row: ClipRow, *, names: _Names, report: ExportReport, place: Place, cut: Cut | None
) -> bool:
    """Puts one clip into its place; False, with the reason in the report, where that did not work."""
    label_folder = folder / _label_folder(row.label or "", names, report)
    label_folder.mkdir(exist_ok=True)
    source = Path(row.path)
    wanted = source.name if row.whole else _cut_name(source, row)
    try:
        target = _free_name(
            label_folder, wanted, names=names, report=report, source=source if row.whole else None
        )
        if row.whole:
            _place(source, target, place)
        elif cut is not None:
            _whole(target, lambda temporary: cut(row, temporary))
    except MediaError as error:
        report.not_held["clips whose file could not be read"] += 1
        report.notes.append(str(error))
        return False
    except FileNotFoundError:
        report.not_held["labelled clips whose file is missing"] += 1
        report.notes.append(f"{source} is not there any more.")
        return False
    return True


def _label_folder(label: str, names: _Names, report: ExportReport) -> str:
    if label in names.folders:
        return names.folders[label]
    safe = _NOT_IN_NAMES.sub("_", label).rstrip(". ")
    if not safe.strip(".") or _DEVICES.fullmatch(safe):
        safe = f"_{safe.strip('.')}"
    safe = _fitting(safe, "")[:200]
    used = {name.casefold() for name in names.folders.values()}
    name, number = safe, 2
    while name.casefold() in used:
        name, number = f"{safe}_{number}", number + 1
    if name != label:
        report.notes.append(f"Label '{label}' is in the folder '{name}'.")
    names.folders[label] = name
    return name


def _cut_name(source: Path, row: ClipRow) -> str:
    return _fitting(source.stem, f"_{row.start_frame:06d}_{row.end_frame:06d}{CUT_SUFFIX}")


def _fitting(stem: str, rest: str) -> str:
    """A file name that disks take: at most 255 bytes."""
    return stem.encode()[: 255 - len(rest.encode())].decode(errors="ignore") + rest


def _free_name(
    folder: Path, wanted: str, *, names: _Names, report: ExportReport, source: Path | None
) -> Path:
    """The file's own name, or with a number where another video of this label has it."""
    stem, suffix = Path(wanted).stem, Path(wanted).suffix
    name, number = wanted, 2
    while (folder.name, name.casefold()) in names.taken or _is_another(folder / name, source):
        name, number = _fitting(stem, f"_{number}{suffix}"), number + 1
    names.taken.add((folder.name, name.casefold()))
    if name != wanted:
        report.notes.append(f"{folder.name}/{wanted} was taken: {source or wanted} is there as {name}.")
    return folder / name


def _is_another(path: Path, source: Path | None) -> bool:
    """Whether something else than this very video has the name (an earlier export's entry is no obstacle)."""
    if source is None or not (path.is_symlink() or path.exists()):
        return False
    if not path.exists():
        return True
    there, here = path.stat(), source.stat()
    return not path.samefile(source) and (there.st_size, there.st_mtime_ns) != (
        here.st_size,
        here.st_mtime_ns,
    )


def _place(source: Path, target: Path, place: Place) -> None:
    if place is Place.COPY:
        if target.exists() and not target.samefile(source):
            return  # An earlier export's copy: same size and time.
        _whole(target, lambda temporary: _copy(source, temporary))
    elif not target.exists():
        source.stat()
        _link(source, target)


def _link(source: Path, target: Path) -> None:
    """A link that a disk can hold: symbolic, else hard (Windows without the right), else a copy."""
    for make in (target.symlink_to, target.hardlink_to):
        try:
            make(source.absolute())
        except OSError as error:
            if isinstance(error, FileExistsError):
                raise
        else:
            return
    _whole(target, lambda temporary: _copy(source, temporary))


def _copy(source: Path, target: Path) -> None:
    try:
        source.open("rb").close()
    except PermissionError:
        raise MediaError(source, "no permission to read it") from None
    shutil.copy2(source, target)


def _whole(target: Path, make: Callable[[Path], None]) -> None:
    """Lets ``make`` fill a temporary file and puts it in its place only when it is whole."""
    temporary = target.with_name(f".vidlabel-{secrets.token_hex(8)}{target.suffix}")
    try:
        make(temporary)
        temporary.replace(target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if (
            isinstance(error, OSError)
            and error.errno is not None
            and not isinstance(error, FileNotFoundError)
        ):
            # Of a full disk copying says only what it was reading.
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
