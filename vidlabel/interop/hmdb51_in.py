"""HMDB51, in: ``<class>/<name>.avi``, and names that say class and source themselves.

See Kuehne et al. 2011, "HMDB: A Large Video Database for Human Motion Recognition". Which part of an official
split a clip belongs to is no decision about it: a snapshot asks the split files for that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from vidlabel.core.errors import FormatError
from vidlabel.core.words import DecisionKind
from vidlabel.interop import class_folders_in
from vidlabel.interop.class_folders_in import FoldersContent
from vidlabel.interop.record import ImportedRow
from vidlabel.interop.report import Problem

_NAME = re.compile(r"(?P<front>.+)_(?:h|u|f|l)_(?:cm|nm)_np\d+_(?:fr|ba|le|ri)_(?:bad|med|goo)_\d+")


def read(
    folder: Path,
    *,
    suffixes: Collection[str],
    classes: Collection[str],
    listed: Mapping[str, str] | None = None,
) -> FoldersContent:
    """Reads which clip is of which class; no video is opened.

    The folder a clip lies in says its class. Clips in no class folder (all in one heap) are known by their names.

    Args:
        folder: of the data set.
        suffixes: of video files, in small letters, with their dot.
        classes: names that a class may have, for clips in no class folder.
        listed: name without ending -> class, of an official split; what it says otherwise than the folder is left out.

    Raises:
        FormatError: nothing here is called as HMDB51 calls its clips.
        OSError: a folder cannot be read.
    """
    known = set(classes) | set((listed or {}).values())
    content = FoldersContent()
    for path in class_folders_in.files_below(folder):
        if path.suffix.lower() not in suffixes:
            content.not_held["files that are no videos"] += 1
            continue
        row = _row(folder, path, number=len(content.rows) + len(content.problems) + 1, known=known)
        reason = _why_not(row, listed)
        if reason:
            content.problems.append(Problem(row.line, reason, video=row.video))
        else:
            content.rows.append(row)
    if not any(_NAME.fullmatch(Path(row.video).stem) for row in content.rows):
        raise FormatError(
            folder,
            "no video here is called as those of HMDB51 (<source>_<class>_f_cm_np1_fr_med_0.avi). "
            "`--format class-folders` takes any names.",
        )
    return content


def _row(folder: Path, path: Path, *, number: int, known: Collection[str]) -> ImportedRow:
    named = class_of_name(path.stem, known)
    parts = path.relative_to(folder).parts
    inside = parts[-2] if len(parts) > 1 else None
    # A heap of clips may have any name; a folder that the clips' own names agree with is a class for certain.
    label = inside if inside is not None and (inside in known or named is None) else named
    row = ImportedRow(line=number, video=str(path), label=label, kind=None, of_folder=True)
    return row if label is None else replace(row, kind=DecisionKind.LABELLED)


def class_of_name(stem: str, known: Collection[str]) -> str | None:
    """The class that an HMDB51 name says; of ``draw_sword`` and ``sword`` the longer one. None: it says none."""
    matched = _NAME.fullmatch(stem)
    if matched is None:
        return None
    fitting = [label for label in known if matched["front"].endswith(f"_{label}")]
    return max(fitting, key=len, default=None)


def _why_not(row: ImportedRow, listed: Mapping[str, str] | None) -> str:
    if row.label is None:
        return "neither its folder nor its name says a class"
    if listed is None:
        return ""
    official = listed.get(Path(row.video).stem)
    if official is not None and official != row.label:
        return f"it is in the folder of {row.label}, but the split says {official}"
    return ""
