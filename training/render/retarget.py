"""Puts movement of other skeletons, and other builds, on ours: directions of bones are kept, lengths are ours."""

from __future__ import annotations

import numpy as np

from training.render.skeleton import (
    FOOT,
    FOREARM,
    HEAD,
    HIP,
    INDEX,
    NECK,
    SHIN,
    SHOULDER,
    SPINE,
    THIGH,
    UPPER_ARM,
    Array,
)

# joint, the joint it hangs on, length of the bone between
_BONES = (
    ("chest", "pelvis", SPINE * 0.6), ("neck", "chest", SPINE * 0.4), ("head", "neck", NECK * 0.7 + HEAD),
    ("l_shoulder", "neck", SHOULDER), ("l_elbow", "l_shoulder", UPPER_ARM), ("l_wrist", "l_elbow", FOREARM),
    ("r_shoulder", "neck", SHOULDER), ("r_elbow", "r_shoulder", UPPER_ARM), ("r_wrist", "r_elbow", FOREARM),
    ("l_hip", "pelvis", HIP), ("l_knee", "l_hip", THIGH), ("l_ankle", "l_knee", SHIN), ("l_toe", "l_ankle", FOOT),
    ("r_hip", "pelvis", HIP), ("r_knee", "r_hip", THIGH), ("r_ankle", "r_knee", SHIN), ("r_toe", "r_ankle", FOOT),
)  # fmt: skip
_PAIRED = {"shoulder": "girdle", "elbow": "arm", "wrist": "arm", "knee": "leg", "ankle": "leg"}


def retargeted(joints: Array) -> Array:
    """Joints (T, 18, 3) of any skeleton in any unit, as one of our size: on the ground, starting over the origin."""
    unit = float(np.median(_leg(joints))) / (THIGH + SHIN)
    trunk = _unit(joints[:, INDEX["neck"]] - joints[:, INDEX["pelvis"]])
    head = joints.copy()
    # Rigs disagree on where a head joint sits; halfway to the trunk's own direction suits all of them.
    nod = _unit(joints[:, INDEX["head"]] - joints[:, INDEX["neck"]])
    still = np.linalg.norm(joints[:, INDEX["head"]] - joints[:, INDEX["neck"]], axis=-1, keepdims=True) < 1e-6
    head[:, INDEX["head"]] = joints[:, INDEX["neck"]] + _unit(np.where(still, 0, nod) + trunk)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        across = _unit(joints[:, INDEX["l_shoulder"]] - joints[:, INDEX["r_shoulder"]])
        head[:, INDEX[f"{side}_shoulder"]] = head[:, INDEX["neck"]] + sign * across - 0.2 * trunk
        level = _unit(joints[:, INDEX["l_hip"]] - joints[:, INDEX["r_hip"]])
        head[:, INDEX[f"{side}_hip"]] = head[:, INDEX["pelvis"]] + sign * level - 0.2 * trunk
    out = _rebuilt(joints, head, {})
    out += joints[:, [INDEX["pelvis"]]] / unit
    return grounded(out)


def rebuilt(joints: Array, factors: dict[str, float]) -> Array:
    """The same movement by somebody with longer or shorter "arm", "leg", "girdle" or "spine" (factors)."""
    hung = _rebuilt(joints, joints, factors) + joints[:, [INDEX["pelvis"]]]
    if "leg" in factors:
        hung[..., 1] += (factors["leg"] - 1) * np.median(joints[:, INDEX["pelvis"], 1])
    return hung


def grounded(joints: Array) -> Array:
    """Joints moved so that the lowest they come is the ground and the first pelvis is over the origin."""
    low = np.percentile(joints[..., 1].min(axis=1), 5) - 0.05
    start = joints[0, INDEX["pelvis"]]
    return joints - np.array([start[0], low, start[2]])


def _rebuilt(joints: Array, trunk: Array, factors: dict[str, float]) -> Array:
    """Bones of our lengths along the directions found, hung on a pelvis at the origin."""
    out = np.zeros_like(joints)
    for joint, parent, length in _BONES:
        source = trunk if parent in ("pelvis", "neck", "chest") else joints
        direction = _unit(source[:, INDEX[joint]] - source[:, INDEX[parent]])
        part = _PAIRED.get(joint[2:], "spine" if joint in ("chest", "neck") else "")
        out[:, INDEX[joint]] = out[:, INDEX[parent]] + direction * length * factors.get(part, 1.0)
    return out


def _leg(joints: Array) -> Array:
    thigh = np.linalg.norm(joints[:, INDEX["l_hip"]] - joints[:, INDEX["l_knee"]], axis=-1)
    return thigh + np.linalg.norm(joints[:, INDEX["l_knee"]] - joints[:, INDEX["l_ankle"]], axis=-1)


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
