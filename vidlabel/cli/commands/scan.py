"""``vidlabel scan``: find videos, probe them, hash them."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from vidlabel.cli.context import Use, clips, locate, open_project
from vidlabel.cli.output import Output
from vidlabel.cli.scanning import hash_videos, scan_roots
from vidlabel.core.errors import UsageError, VidlabelError
from vidlabel.core.words import ClipQuery, ClipState

_NO_FOLDER = "This project watches no folder yet. Name one: vidlabel scan PROJECT FOLDER"


def run(arguments: Namespace, output: Output) -> int:
    """Scans the folders named, and the roots the project has; answers what is there now."""
    folders: list[Path] = arguments.folders
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(
                f"There is no folder {folder}." if not folder.exists() else f"{folder} is no folder."
            )
    named = locate(arguments.project, use=Use.CREATE)
    if not (named.project.exists() or named.folder or folders):
        raise UsageError(_NO_FOLDER)
    with open_project(arguments.project, use=Use.CREATE) as store:
        for folder in folders:
            store.add_root(folder.resolve())
        roots = [root.path for root in store.roots()]
        if not roots:
            raise UsageError(_NO_FOLDER)
        scanned = scan_roots(store, output)
        if (named.folder or folders) and scanned.problems and not scanned.listed:
            found = "; ".join(problem.rstrip(".") for problem in scanned.problems)
            raise VidlabelError(f"Nothing could be scanned: {found}. Put that right and scan again.")
        hashed = hash_videos(store)
        counts = store.counts()
        unreadable = [
            {"video": row.path, "reason": row.reason or ""}
            for row in clips(store, ClipQuery(states=frozenset({ClipState.UNREADABLE}), sort="path"))
        ]
        missing = counts.by_state.get(ClipState.MISSING, 0)
        document = {
            "project": str(store.path),
            "roots": roots,
            "files": scanned.listed,
            "probed": scanned.probed,
            "hashed": hashed,
            "clips": counts.total,
            "missing": missing,
            "unreadable": unreadable,
            "problems": scanned.problems,
        }
    lines = [
        f"{scanned.listed} video files listed, {scanned.probed} new or changed, in {', '.join(roots)}.",
        f"{counts.total} clips in {document['project']}.",
    ]
    if missing:
        lines.append(f"Missing clips, whose files are not where they were: {missing}.")
    if unreadable:
        lines.append(f"Files that cannot be read: {len(unreadable)}")
        lines += [f"  {one['video']}: {one['reason']}" for one in unreadable]
    output.answer(document, lines)
    return 0
