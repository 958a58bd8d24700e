"""``vidlabel backup``: a whole copy of the project, also while a window writes it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.output import Output
from vidlabel.core.errors import UsageError
from vidlabel.core.kept_evaluation import evaluations_folder
from vidlabel.core.paths import PROJECT_SUFFIX
from vidlabel.core.runs import runs_folder
from vidlabel.store.places import embeddings_of

_ELSEWHERE = (
    "the videos, which stay where they are, and the files of models, which are installed for all projects "
    "(`vidlabel models export` writes one)."
)


def run(arguments: Namespace, output: Output) -> int:
    """Copies the project and answers where to."""
    with open_project(arguments.project, use=Use.INSPECT) as store:
        out = _target(arguments.out, store.path)
        backup = store.backup(out)
        counts = store.counts()
        holds = {"clips": counts.total, "decided": counts.decided, "runs": len(store.runs.all())}
    output.log(
        f"vidlabel: the backup holds {_of(holds['clips'], 'clip')} with every decision ever made about them "
        f"({holds['decided']:,} decided now), the label set, all suggestions, the snapshots, what is known of "
        f"{_of(holds['runs'], 'run')}, and the proofs of finished ones."
    )
    left_out = {folder: why for folder, why in _beside(store.path).items() if folder.is_dir()}
    for folder, why in left_out.items():
        output.log(f"vidlabel: {folder} is not copied: {why}")
    output.log(f"vidlabel: not in it, either: {_ELSEWHERE}")
    document = {
        "project": str(store.path),
        "backup": str(backup),
        "holds": holds,
        "left_out": [str(folder) for folder in left_out],
        "why_left_out": [*left_out.values(), f"Not in it, either: {_ELSEWHERE}"],
    }
    output.answer(document, [str(backup)])
    return 0


def _beside(project: Path) -> dict[Path, str]:
    """Folders beside a project that a backup leaves out, and what to do about each."""
    return {
        embeddings_of(project): "embeddings are computed again from the videos.",
        runs_folder(project): (
            "it has the runs' checkpoints, models and events. To go on with an unfinished run, copy this folder, "
            "too, and put it back beside the project under this name."
        ),
        evaluations_folder(
            project
        ): "`vidlabel evaluate` measures again; copy this folder to keep what was measured.",
    }


def _of(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _target(out: Path | None, project: Path) -> Path | None:
    if out is None:
        return None
    target = (out / project.name if out.is_dir() else out).absolute()
    if target.suffix.lower() != PROJECT_SUFFIX:
        raise UsageError(
            f"{out} is not the name of a project. Give a folder, or a name that ends with {PROJECT_SUFFIX}."
        )
    if target.exists():
        raise UsageError(f"{target} is there already. Give another name, or remove it first.")
    return target
