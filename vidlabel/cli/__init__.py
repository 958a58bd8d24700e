"""The command line: one file a command, on the same floors as the window and without Qt."""

from __future__ import annotations

MODULES = {
    "scan": "scan",
    "suggest": "suggest",
    "sweep": "sweep",
    "calibrate": "calibrate",
    "list": "list_clips",
    "label": "label",
    "import": "import_labels",
    "export": "export",
    "train": "train",
    "evaluate": "evaluate",
    "runs": "runs",
    "models": "models",
    "check": "check",
    "backup": "backup",
    "where": "where",
    "doctor": "doctor",
}
"""Each command's module under ``vidlabel.cli.commands``."""
