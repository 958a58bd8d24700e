"""Movement that was recorded or animated by hand, by HMDB51 label: motion captures (BVH) and animations (glTF)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from training.render import bvh
from training.render.actions import grip, held
from training.render.gltf import Library
from training.render.retarget import rebuilt
from training.render.skeleton import INDEX, Array, Motion, Prop, mirrored

TABLE = Path(__file__).parent / "label_table.json"
_LOOPED = ("walk", "run", "punch", "talk", "wave", "pushup", "situp", "push", "dribble", "shoot_gun", "laugh")


@dataclass(frozen=True)
class Take:
    """One stretch of movement: joints (T, 18, 3) at ``fps``, its source ("captures", "animations") and its prop."""

    joints: Array
    fps: float
    source: str
    name: str
    prop: str = ""
    framing: str = "body"


def label_table() -> dict[str, Any]:
    """The reviewed table of captures and animations."""
    return json.loads(TABLE.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def takes(motion_folder: Path) -> dict[str, list[Take]]:
    """All takes by label; sources that are not there are left out.

    Args:
        motion_folder: holds ``cmu_bvh_30fps`` and ``cc0_characters``.
    """
    found: dict[str, list[Take]] = {}
    table = label_table()
    for row in table["captures"]:
        for name in row["names"]:
            path = motion_folder / "cmu_bvh_30fps" / f"{name}.bvh"
            if path.is_file():
                joints, fps = bvh.load(path)
                take = Take(joints, fps, "captures", name, row.get("prop", ""), row.get("framing", "body"))
                found.setdefault(row["label"], []).extend(_parts(take, row.get("part", "")))
    libraries: dict[str, Library] = {}
    for row in table["animations"]:
        path = motion_folder / "cc0_characters" / f"{row['file']}.glb"
        if path.is_file():
            library = libraries.setdefault(row["file"], Library(path))
            for name in row["names"]:
                take = Take(
                    library.joints(name),
                    30.0,
                    "animations",
                    name,
                    row.get("prop", ""),
                    row.get("framing", "body"),
                )
                found.setdefault(row["label"], []).append(take)
    return found


def performed(take: Take, rng: np.random.Generator, *, label: str, frames: int, seconds: float) -> Motion:
    """A stretch of a take in another tempo, by another body, sometimes mirrored: ``frames`` over ``seconds``."""
    length = len(take.joints) / take.fps
    tempo = rng.uniform(0.8, 1.25)
    wanted = seconds * tempo
    if length < wanted and label in _LOOPED:
        moment = rng.uniform(0, length) + np.linspace(0, wanted, frames)
        moment = (
            length - 1 / take.fps - np.abs((moment % (2 * length)) - length)
        )  # to and fro: no jump at the seam
        moment = np.clip(moment, 0, length - 1 / take.fps)
        if label in ("walk", "run", "push", "dribble"):
            moment = np.linspace(0, length - 1 / take.fps, frames)
    elif length < wanted:
        lead = rng.uniform(0, wanted - length)
        moment = np.clip(np.linspace(-lead, wanted - lead, frames), 0, length - 1 / take.fps)
    else:
        start = rng.uniform(0, length - wanted)
        moment = start + np.linspace(0, wanted, frames)
    joints = _at(take.joints, moment * take.fps)
    joints = rebuilt(joints, {part: rng.uniform(0.92, 1.08) for part in ("arm", "leg", "girdle", "spine")})
    if rng.random() < 0.5:
        joints = mirrored(joints)
    return _with_prop(Motion((joints,), framing=take.framing), take.prop, rng, moment)


def _with_prop(motion: Motion, prop: str, rng: np.random.Generator, moment: Array) -> Motion:
    if prop == "blade":
        forearm = grip(motion, "r") - motion.people[0][:, INDEX["r_elbow"]]
        return held(motion, forearm + np.array([0, 0.15, 0]), length=0.8, radius=0.018, tone="metal")
    if prop == "bouncing_ball":
        side = (
            "l"
            if np.median(motion.people[0][:, INDEX["l_wrist"], 1])
            < np.median(motion.people[0][:, INDEX["r_wrist"], 1])
            else "r"
        )
        hand = grip(motion, side)
        u = np.abs(np.cos(np.pi * moment / rng.uniform(0.5, 0.7)))
        ball = np.stack([hand[:, 0], 0.12 + np.clip(hand[:, 1] - 0.24, 0, None) * u, hand[:, 2]], -1)
        return replace(motion, props=(Prop(ball, ball, 0.12, "ball"),))
    return motion


def _parts(take: Take, part: str) -> list[Take]:
    """The stretches of a take in which the pelvis sinks or rises by more than 15 cm, with a little before and after."""
    if not part:
        return [take]
    height = take.joints[:, INDEX["pelvis"], 1]
    window = max(int(0.9 * take.fps), 2)
    change = height[window:] - height[:-window]
    change = change if part == "rising" else -change
    found = []
    while len(change) and change.max() > 0.15:
        peak = int(change.argmax())
        start, end = max(peak - window // 3, 0), min(peak + window + window // 3, len(height))
        found.append(replace(take, joints=take.joints[start:end]))
        change[max(peak - window, 0) : peak + window] = 0
    return found


def _at(joints: Array, places: Array) -> Array:
    """Joints between frames, linear."""
    places = np.clip(places, 0, len(joints) - 1)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(joints) - 1)
    share = (places - low)[:, None, None]
    return joints[low] * (1 - share) + joints[high] * share
