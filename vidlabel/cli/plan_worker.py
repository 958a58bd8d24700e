"""Plans and begins runs for the window: a line of JSON in for each wish, lines of JSON out.

In: ``id`` (a number), ``do``, and ``project`` (its file). ``plan`` has ``wanted``; ``begin`` has it, too, and ``plan``,
the id of the plan that is meant; ``resume`` has ``name``, a run. ``wanted``: ``settings``, ``split``, ``sources``,
``expression``, ``new_test``. ``forget`` (alone) ends a plan that is not wanted any more; so does any newer wish.

Out: each line has ``"v": 1``, the ``id`` and an ``event``: ``hashing`` (``done``, ``total``), and last ``planned``
(what :meth:`RunPlan.to_json` answers), ``begun`` (``folder``), ``dropped`` or ``refused`` (``words``). The process of a
run is started by the window. It leaves at the end of its input.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Queue
from typing import Any

from vidlabel.core.errors import StoppedError, VidlabelError
from vidlabel.core.runs import RunFolder, TrainSettings
from vidlabel.learning.run_plans import Order, RunPlan, begin_plan, plan_run
from vidlabel.learning.run_records import resume_run
from vidlabel.store.project_store import ProjectStore

PROTOCOL = 1
Wish = Mapping[str, Any]


def run_plans() -> int:
    """Answers wishes until there are no more."""
    inbox: Queue[Wish | None] = Queue()
    threading.Thread(target=_listen, args=(inbox,), daemon=True).start()
    planner = _Planner(inbox)
    while (wish := inbox.get()) is not None:
        planner.answer(wish)
    return 0


def _listen(inbox: Queue[Wish | None]) -> None:
    for line in sys.stdin:
        try:
            wish = json.loads(line)
        except ValueError:
            continue
        if isinstance(wish, dict):
            inbox.put(wish)
    inbox.put(None)


class _Planner:
    """Keeps the newest plan, so that it is begun as it was shown."""

    def __init__(self, inbox: Queue[Wish | None]) -> None:
        self._inbox = inbox
        self._kept: tuple[int, RunPlan] | None = None

    def answer(self, wish: Wish) -> None:
        """Does what is wished and tells what came of it."""
        number, what = int(wish.get("id", 0)), wish.get("do")
        try:
            if what == "plan":
                self._plan(number, wish)
                _tell(number, "planned", **self._kept[1].to_json() if self._kept else {})
            elif what == "begin":
                _tell(number, "begun", folder=str(self._begin(number, wish).path))
            elif what == "resume":
                with ProjectStore.open(Path(wish["project"])) as store:
                    folder = resume_run(store, str(wish["name"]))
                _tell(number, "begun", folder=str(folder.path))
        except StoppedError:
            _tell(number, "dropped")
        except (VidlabelError, OSError) as error:
            _tell(number, "refused", words=str(error))
        except (KeyError, TypeError, ValueError) as error:
            _tell(number, "refused", words=f"The settings of the run are not complete: {error!r}.")

    def _plan(self, number: int, wish: Wish) -> None:
        self._kept = None
        with ProjectStore.open(Path(wish["project"])) as store:
            self._kept = number, self._prepared(store, number, wish)

    def _begin(self, number: int, wish: Wish) -> RunFolder:
        kept, self._kept = self._kept, None
        with ProjectStore.open(Path(wish["project"])) as store:
            if kept is None or kept[0] != wish.get("plan"):
                # The process that made the plan is gone; what was ordered is known all the same.
                return begin_plan(store, self._prepared(store, number, wish))
            return begin_plan(store, kept[1])

    def _prepared(self, store: ProjectStore, number: int, wish: Wish) -> RunPlan:
        return plan_run(
            store, _order(wish["wanted"]),
            should_stop=lambda: wish["do"] == "plan" and not self._inbox.empty(),
            on_progress=lambda done, total: _tell(number, "hashing", done=done, total=total),
        )  # fmt: skip


def _order(wanted: Mapping[str, Any]) -> Order:
    return Order(
        settings=TrainSettings.from_json(wanted["settings"]), split=wanted["split"], sources=str(wanted["sources"]),
        expression=str(wanted.get("expression", "")), new_test=bool(wanted.get("new_test", False)),
    )  # fmt: skip


def _tell(number: int, event: str, **values: object) -> None:
    # ASCII, so that no encoding can come between.
    sys.stdout.write(json.dumps({"v": PROTOCOL, "id": number, "event": event, **values}) + "\n")
    sys.stdout.flush()
