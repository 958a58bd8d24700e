"""``vidlabel models``: what models there are, getting and giving them, and which one a project uses."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from vidlabel.cli.output import Output
from vidlabel.core.errors import UsageError


@dataclass(frozen=True)
class _Action:
    """Where an action is done, which arguments it takes, and which options."""

    where: str
    takes: tuple[str, ...]
    options: frozenset[str] = frozenset()


_SHOW, _CHANGE, _CHOOSE = "models_show", "models_change", "models_choose"
_ACTIONS = {
    "list": _Action(f"{_SHOW}:list_all", ()),
    "info": _Action(f"{_SHOW}:info", ("MODEL",)),
    "install": _Action(f"{_CHANGE}:install", ("MODEL",), frozenset({"keep_download"})),
    "import": _Action(f"{_CHANGE}:import_file", ("PATH",), frozenset({"name", "labels", "network"})),
    "export": _Action(f"{_CHANGE}:export", ("MODEL", "OUT"), frozenset({"kind", "force"})),
    "remove": _Action(f"{_CHANGE}:remove", ("MODEL",)),
    "promote": _Action(f"{_CHOOSE}:promote", ("PROJECT", "MODEL"), frozenset({"strict"})),
    "rollback": _Action(f"{_CHOOSE}:rollback", ("PROJECT",)),
}
_OPTIONS = {
    "keep_download": "--keep-download",
    "name": "--name",
    "labels": "--labels",
    "network": "--network",
    "kind": "--kind",
    "force": "--force",
    "strict": "--strict",
}


def run(arguments: Namespace, output: Output) -> int:
    """Does the action that was asked for."""
    action = _ACTIONS[arguments.action]
    _check(arguments, action)
    module, _, name = action.where.partition(":")
    # Only now: showing needs no database, choosing no torch.
    do = cast(Callable[..., int], getattr(import_module(f"vidlabel.cli.commands.{module}"), name))
    return do(arguments, output, *arguments.what)


def _check(arguments: Namespace, action: _Action) -> None:
    """Refuses too few or too many arguments, and options of another action."""
    usage = f"vidlabel models {arguments.action}"
    wanted = " ".join((usage, *action.takes))
    given = len(arguments.what)
    if given < len(action.takes):
        missing = action.takes[given]
        article = "an" if missing[0] in "AEIO" else "a"
        hint = " Its name, hash or path." if missing == "MODEL" else ""
        raise UsageError(f"`{usage}` needs {article} {missing.lower()}: {wanted}.{hint}")
    if given > len(action.takes):
        hint = "; `vidlabel models info MODEL` tells about one" if arguments.action == "list" else ""
        nothing = "no model" if arguments.action == "list" else f"only {' and '.join(action.takes)}"
        raise UsageError(f"`{usage}` takes {nothing}{hint}.")
    foreign = [
        flag for name, flag in _OPTIONS.items() if getattr(arguments, name) and name not in action.options
    ]
    if foreign:
        raise UsageError(f"`{usage}` takes no {foreign[0]}.")
