"""The door of the program: workers first, then the command line, else the window. Nothing heavy is loaded."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from vidlabel.cli import MODULES
from vidlabel.cli.display import forget_opencv_qt, why_no_window
from vidlabel.core.paths import is_project_file

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130

_WORKERS = {
    "engine": "vidlabel.engine.main:run_engine",
    "models": "vidlabel.cli.models_worker:run_models",
    "train": "vidlabel.cli.train_worker:run_train",
    "convert": "vidlabel.ml.converter:run_convert",
    "evaluate": "vidlabel.cli.evaluate_worker:run_evaluate",
    "augment-preview": "vidlabel.cli.preview_worker:run_preview",
    "plan": "vidlabel.cli.plan_worker:run_plans",
}
_WITH_ARGUMENTS = frozenset({"evaluate", "models", "train", "convert", "augment-preview"})


def main(argv: Sequence[str] | None = None) -> int:
    """Runs vidlabel with these arguments (default: the process's own) and answers its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["--worker"]:
            return _run_worker(arguments[1:])
        if arguments[:1] == ["--json"]:  # before the command, too
            arguments = [*arguments[1:], "--json"]
        if arguments and (arguments[0] in MODULES or arguments[0].startswith("-")):
            return _function("vidlabel.cli.dispatch:run_command")(arguments)
        return _open_window(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run_worker(arguments: list[str]) -> int:
    kind, rest = arguments[:1], arguments[1:]
    if not kind or kind[0] not in _WORKERS or (rest and kind[0] not in _WITH_ARGUMENTS):
        return _wrong(f"there is no worker '{' '.join(arguments)}'.")
    run = _function(_WORKERS[kind[0]])
    return run(rest) if kind[0] in _WITH_ARGUMENTS else run()


def _open_window(arguments: list[str]) -> int:
    if len(arguments) > 1:
        known = Path(arguments[0]).exists()
        wrong = "the window opens one project." if known else _no_command(arguments[0])
        return _wrong(wrong, as_json="--json" in arguments)
    project = Path(arguments[0]) if arguments else None
    trouble = None if project is None else _why_not(project)
    if trouble is not None:
        return _wrong(trouble)
    forget_opencv_qt()
    reason = why_no_window()
    if reason is not None:
        sys.stderr.write(f"vidlabel: {reason}\n")
        return FAILED
    # Starting makes many objects that all stay: looking through them for garbage took a tenth of the time.
    gc.disable()
    return _function("vidlabel.app:run_window")(None if project is None else project.absolute())


def _why_not(project: Path) -> str | None:
    """Why this argument opens no project."""
    if not project.exists():
        if is_project_file(project):
            return f"there is no project {project}. `vidlabel scan {project} FOLDER` makes it."
        return _no_command(str(project))
    if project.is_file() and not is_project_file(project):
        return f"{project} is neither a project (*.vidlabel) nor a folder."
    return None


def _no_command(word: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, list(MODULES), n=1)
    hint = f" Did you mean `vidlabel {close[0]}`?" if close else " `vidlabel --help` lists the commands."
    return f"'{word}' is neither a command nor a project or folder that is there.{hint}"


def _wrong(reason: str, *, as_json: bool = False) -> int:
    sys.stderr.write(f"vidlabel: {reason}\n")
    if as_json:
        import json

        sys.stdout.write(f"{json.dumps({'error': reason}, indent=2)}\n")
    return WRONG_USAGE


def _function(where: str) -> Callable[..., int]:
    module, _, name = where.partition(":")
    return cast(Callable[..., int], getattr(importlib.import_module(module), name))


if __name__ == "__main__":
    sys.exit(main())
