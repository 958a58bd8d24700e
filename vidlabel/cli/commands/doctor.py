"""``vidlabel doctor``: looks at what the program stands on, with a one-line remedy for each fault."""

from __future__ import annotations

import sys
from argparse import Namespace

from vidlabel import __version__
from vidlabel.cli.examine import Finding, State, examine
from vidlabel.cli.output import Output

_SIGNS = {State.OK: "ok     ", State.ABSENT: "absent ", State.FAULT: "FAULT  "}


def run(arguments: Namespace, output: Output) -> int:
    """Answers all findings; a fault is an answer, not a failure of this command."""
    del arguments  # There are none but --json.
    findings = examine()
    document = {
        "version": __version__,
        "python": sys.version.split()[0],
        "ok": all(finding.state is not State.FAULT for finding in findings),
        "checks": [
            {"name": one.name, "state": one.state.value, "detail": one.detail, "remedy": one.remedy}
            for one in findings
        ],
    }
    lines = [f"vidlabel {__version__}, Python {document['python']}"]
    for finding in findings:
        lines += _lines(finding)
    output.answer(document, lines)
    return 0


def _lines(finding: Finding) -> list[str]:
    line = f"{_SIGNS[finding.state]}{finding.name}: {finding.detail}"
    return [line, f"       -> {finding.remedy}"] if finding.remedy else [line]
