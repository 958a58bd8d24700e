"""Clips for the formats' tests."""

from __future__ import annotations

from typing import Any

from vidlabel.core.words import ClipRow, ClipState
from vidlabel.interop.record import ClipRecord


def row(number: int = 1, **changes: Any) -> ClipRow:
    """A whole, labelled video of two seconds; ``changes`` replace fields."""
    values: dict[str, Any] = {
        "clip_id": number,
        "video_id": number,
        "path": f"/footage/clip_{number}.mp4",
        "relative": f"clip_{number}.mp4",
        "start_us": 0,
        "end_us": 2_000_001,
        "start_frame": 0,
        "end_frame": 50,
        "whole": True,
        "state": ClipState.LABELLED,
        "label": "wave",
        "annotator": "ada",
        "decided_at_us": 1_700_000_000_123_000,
        "suggested": None,
        "probability": None,
        "margin": None,
        "model": None,
        "fingerprint": "0" * 32,
        "fps": 25.0,
        "frames": 50,
        "width": 160,
        "height": 96,
        "audio": False,
    }
    return ClipRow(**(values | changes))


def record(number: int = 1, **changes: Any) -> ClipRecord:
    """The same as a record without suggestions and history."""
    clip = row(number, **changes)
    return ClipRecord(row=clip, paths=(clip.path,))
