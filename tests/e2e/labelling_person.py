"""A window process whose person never stops deciding; each decision is printed once it is acknowledged.

Run as ``python -m tests.e2e.labelling_person FOLDER``. It is there to be killed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Slot

from vidlabel.app import Program, build
from vidlabel.core.words import Decision

LABELS = ("wave", "run", "golf", "clap")


class Person(QObject):
    """Gives a label whenever the keys act, skips every third clip, and goes on with what comes back."""

    def __init__(self, program: Program) -> None:
        super().__init__(program.window)
        self._deciding = program.workbench.deciding
        self._given = 0
        self._deciding.can_act_changed.connect(self._on_can_act)
        self._deciding.decided.connect(self._on_decided)
        program.workbench.library.all_done.connect(self._deciding.undo)

    @Slot(bool)
    def _on_can_act(self, can_act: object) -> None:
        if can_act:
            QTimer.singleShot(0, self._decide)

    @Slot()
    def _decide(self) -> None:
        self._given += 1
        if self._given % 3 == 0:
            self._deciding.skip()
        else:
            self._deciding.give(LABELS[self._given % len(LABELS)])

    @Slot(object)
    def _on_decided(self, decision: Decision) -> None:
        sys.stdout.write(json.dumps([decision.clip_id, decision.kind.value, decision.label]) + "\n")
        sys.stdout.flush()


def main() -> int:
    program = build(Path(sys.argv[1]))
    program.workbench.settings.suggest_by_itself = False
    person = Person(program)
    program.window.show()
    code = program.application.exec()
    person.deleteLater()
    return code


if __name__ == "__main__":
    sys.exit(main())
