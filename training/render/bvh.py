"""Reads BVH motion captures: hierarchy, channels, forward kinematics, and the eighteen joints drawn here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.render.retarget import retargeted
from training.render.skeleton import JOINTS, Array

# Our joints from the names of the CMU captures' BVH conversion ("Daz-friendly").
CMU_NAMES = {
    "pelvis": "hip", "chest": "chest", "neck": "neck", "head": "head",
    "l_shoulder": "lShldr", "l_elbow": "lForeArm", "l_wrist": "lHand",
    "r_shoulder": "rShldr", "r_elbow": "rForeArm", "r_wrist": "rHand",
    "l_hip": "lThigh", "l_knee": "lShin", "l_ankle": "lFoot", "l_toe": "lFoot_end",
    "r_hip": "rThigh", "r_knee": "rShin", "r_ankle": "rFoot", "r_toe": "rFoot_end",
}  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One joint: its parent's position in the list (-1 for the root), offset, and channels in file order."""

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Capture:
    """A motion capture: ``nodes``, ``values`` (T, channels) in file units and degrees, ``fps``."""

    nodes: tuple[Node, ...]
    values: Array
    fps: float


def parse(text: str) -> Capture:
    """A BVH file's content.

    Raises:
        ValueError: there is no motion in it, or its numbers do not go with its channels.
    """
    hierarchy, found, motion = text.partition("MOTION")
    if not found:
        raise ValueError("no MOTION in this BVH file")
    nodes: list[Node] = []
    stack: list[int] = []
    name = ""
    for line in hierarchy.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] in ("ROOT", "JOINT"):
            name = words[1]
        elif words[0] == "End":
            name = f"{nodes[stack[-1]].name}_end"
        elif words[0] == "{":
            nodes.append(Node(name, stack[-1] if stack else -1, (0.0, 0.0, 0.0), ()))
            stack.append(len(nodes) - 1)
        elif words[0] == "}":
            stack.pop()
        elif words[0] == "OFFSET":
            x, y, z = (float(word) for word in words[1:4])
            nodes[stack[-1]] = Node(nodes[stack[-1]].name, nodes[stack[-1]].parent, (x, y, z), ())
        elif words[0] == "CHANNELS":
            node = nodes[stack[-1]]
            nodes[stack[-1]] = Node(node.name, node.parent, node.offset, tuple(words[2:]))
    lines = motion.strip().splitlines()
    frame_time = float(lines[1].split(":")[1])
    values = np.array([line.split() for line in lines[2:] if line.strip()], dtype=float)
    if values.ndim != 2 or values.shape[1] != sum(len(node.channels) for node in nodes):
        raise ValueError("the motion of this BVH file does not go with its channels")
    return Capture(tuple(nodes), values, 1.0 / frame_time)


def positions(capture: Capture) -> dict[str, Array]:
    """World positions (T, 3) of every node, in file units: parents' rotations applied in channel order."""
    frames = len(capture.values)
    turned: list[Array] = []
    placed: list[Array] = []
    column = 0
    for node in capture.nodes:
        local = np.tile(np.eye(3), (frames, 1, 1))
        offset = np.tile(np.asarray(node.offset), (frames, 1))
        for channel in node.channels:
            value, axis = capture.values[:, column], "XYZ".index(channel[0])
            column += 1
            if channel.endswith("position"):
                offset[:, axis] += value
            else:
                local = local @ _about(axis, np.radians(value))
        if node.parent < 0:
            placed.append(offset)
            turned.append(local)
        else:
            placed.append(placed[node.parent] + np.einsum("tij,tj->ti", turned[node.parent], offset))
            turned.append(turned[node.parent] @ local)
    return {node.name: path for node, path in zip(capture.nodes, placed, strict=True)}


def joints_of(capture: Capture, names: dict[str, str] | None = None) -> Array:
    """Our joints (T, 18, 3) in metres with our proportions, standing on y = 0, starting over the origin."""
    paths = positions(capture)
    names = names or CMU_NAMES
    return retargeted(np.stack([paths[names[joint]] for joint in JOINTS], axis=1))


def load(path: Path) -> tuple[Array, float]:
    """Joints (T, 18, 3) and frames a second of a capture file; a leading reference pose is dropped."""
    capture = parse(path.read_text(encoding="ascii", errors="replace"))
    joints = joints_of(capture)
    return joints[1:] if len(joints) > 2 else joints, capture.fps


def _about(axis: int, angle: Array) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.tile(np.eye(3), (len(angle), 1, 1))
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix[:, i, i], matrix[:, i, j], matrix[:, j, i], matrix[:, j, j] = c, -s, s, c
    return matrix
