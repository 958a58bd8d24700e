"""The one skeleton everything is drawn from: eighteen joints, and poses solved from hands and feet.

Axes of a person: x to their left, y up, z the way they face; metres; the ground is y = 0. A movement
written by hand says where pelvis, hands and feet are; elbows and knees follow by two-bone inverse
kinematics (law of cosines), which is much less to write than angles for each joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

JOINTS = (
    "pelvis", "chest", "neck", "head",
    "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
    "l_hip", "l_knee", "l_ankle", "l_toe", "r_hip", "r_knee", "r_ankle", "r_toe",
)  # fmt: skip
INDEX = {name: position for position, name in enumerate(JOINTS)}
MIRROR = tuple(
    INDEX[{"l": "r_", "r": "l_"}[name[0]] + name[2:] if name[1] == "_" else name] for name in JOINTS
)

SPINE, NECK, HEAD = 0.46, 0.12, 0.16
SHOULDER, UPPER_ARM, FOREARM = 0.19, 0.29, 0.27
HIP, THIGH, SHIN, FOOT = 0.10, 0.44, 0.43, 0.19
ANKLE = 0.08
STAND = THIGH + SHIN + ANKLE - 0.01


@dataclass(frozen=True)
class Prop:
    """A thing that moves with the people: a capsule (or a ball where both ends meet).

    ``a`` and ``b`` are (T, 3) metres, ``radius`` metres, ``tone`` names a colour of the palette.
    """

    a: Array
    b: Array
    radius: float
    tone: str = "prop"


@dataclass(frozen=True)
class Motion:
    """What happens in a clip: (T, 18, 3) joints for each person, and the props, ``fps`` frames a second.

    ``framing`` is how such a scene is usually filmed: the whole "body", the "upper" body, or the "face".
    """

    people: tuple[Array, ...]
    props: tuple[Prop, ...] = ()
    fps: float = 30.0
    framing: str = "body"


@dataclass
class Pose:
    """One person's pose over T frames, as written: every field broadcasts to (T, 3) or (T,).

    ``pelvis``: position over the ground point the person stands on. ``bend``: pitch forward, yaw to the left,
    roll to the right of the trunk, radians. ``head``: likewise, on top of the trunk. ``l_hand``, ``r_hand``:
    from the middle of the shoulders in the trunk's frame. ``l_foot``, ``r_foot``: ankles, over the same ground
    point. ``body``: pitch, yaw, roll of everything about the pelvis. ``travel``: moves everything.
    ``elbows``, ``knees``: where they point (the pole of the inverse kinematics), x mirrored for the right side.
    """

    pelvis: object = (0.0, STAND, 0.0)
    bend: object = (0.0, 0.0, 0.0)
    head: object = (0.0, 0.0, 0.0)
    l_hand: object = (0.22, -0.52, 0.05)
    r_hand: object = (-0.22, -0.52, 0.05)
    l_foot: object = (0.11, ANKLE, 0.0)
    r_foot: object = (-0.11, ANKLE, 0.0)
    body: object = (0.0, 0.0, 0.0)
    travel: object = (0.0, 0.0, 0.0)
    elbows: object = (0.5, -0.4, -1.0)
    knees: object = (0.15, 0.0, 1.0)
    toes: object = (0.12, -0.15, 1.0)


def rotation(angles: object, frames: int) -> Array:
    """Rotation matrices (T, 3, 3) for pitch (about x), yaw (about y), roll (about z), applied roll first."""
    pitch, yaw, roll = np.moveaxis(_track(angles, frames), -1, 0)
    zero, one = np.zeros(frames), np.ones(frames)
    c, s = np.cos(pitch), np.sin(pitch)
    about_x = np.stack([one, zero, zero, zero, c, -s, zero, s, c], -1).reshape(-1, 3, 3)
    c, s = np.cos(yaw), np.sin(yaw)
    about_y = np.stack([c, zero, s, zero, one, zero, -s, zero, c], -1).reshape(-1, 3, 3)
    c, s = np.cos(roll), np.sin(roll)
    about_z = np.stack([c, -s, zero, s, c, zero, zero, zero, one], -1).reshape(-1, 3, 3)
    return about_y @ about_x @ about_z


def solve(pose: Pose, frames: int) -> Array:
    """Joint positions (T, 18, 3) of a written pose over ``frames`` frames."""
    joints = np.zeros((frames, len(JOINTS), 3))
    pelvis = _track(pose.pelvis, frames)
    trunk = rotation(pose.bend, frames)

    def up(base: Array, frame: Array, offset: tuple[float, float, float]) -> Array:
        return base + frame @ np.asarray(offset)

    neck = up(pelvis, trunk, (0, SPINE, 0))
    skull = trunk @ rotation(pose.head, frames)
    joints[:, INDEX["pelvis"]] = pelvis
    joints[:, INDEX["chest"]] = up(pelvis, trunk, (0, SPINE * 0.6, 0))
    joints[:, INDEX["neck"]] = neck
    joints[:, INDEX["head"]] = up(up(neck, trunk, (0, NECK * 0.7, 0)), skull, (0, HEAD, 0.03))
    hips = rotation(_track(pose.bend, frames) * np.array([0.0, 0.4, 0.3]), frames)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        shoulder = up(neck, trunk, (sign * SHOULDER, -0.04, 0))
        hand = neck + np.einsum("tij,tj->ti", trunk, _track(getattr(pose, f"{side}_hand"), frames))
        pole = np.einsum("tij,tj->ti", trunk, _track(pose.elbows, frames) * [sign, 1, 1])
        elbow, wrist = _two_bones(shoulder, hand, pole, upper=UPPER_ARM, lower=FOREARM)
        hip = up(pelvis, hips, (sign * HIP, -0.02, 0))
        pole = _track(pose.knees, frames) * [sign, 1, 1]
        knee, ankle = _two_bones(
            hip, _track(getattr(pose, f"{side}_foot"), frames), pole, upper=THIGH, lower=SHIN
        )
        toe = _track(pose.toes, frames) * [sign, 1, 1]
        joints[:, INDEX[f"{side}_shoulder"]], joints[:, INDEX[f"{side}_elbow"]] = shoulder, elbow
        joints[:, INDEX[f"{side}_wrist"]], joints[:, INDEX[f"{side}_hip"]] = wrist, hip
        joints[:, INDEX[f"{side}_knee"]], joints[:, INDEX[f"{side}_ankle"]] = knee, ankle
        joints[:, INDEX[f"{side}_toe"]] = ankle + FOOT * toe / np.linalg.norm(toe, axis=-1, keepdims=True)
    turned = np.einsum("tij,tkj->tki", rotation(pose.body, frames), joints - pelvis[:, None])
    return turned + (pelvis + _track(pose.travel, frames))[:, None]


def mirrored(joints: Array) -> Array:
    """The same movement done left-handed."""
    return joints[:, MIRROR] * np.array([-1.0, 1.0, 1.0])


def keys(t: Array, *frames: tuple[float, object], loop: float | None = None) -> Array:
    """Values at times ``t`` (seconds) through keyframes ``(time, value)``, eased in and out (smoothstep).

    Args:
        t: (T,) seconds.
        frames: keyframes in order of time; values are floats or tuples of one length.
        loop: repeat after this many seconds.

    Returns:
        (T,) or (T, n).
    """
    times = np.array([time for time, _ in frames])
    values = np.array([value for _, value in frames], dtype=float)
    moment = np.mod(t, loop) if loop else np.clip(t, times[0], times[-1])
    after = np.clip(np.searchsorted(times, moment, side="right"), 1, len(times) - 1)
    span = np.maximum(times[after] - times[after - 1], 1e-6)
    u = np.clip((moment - times[after - 1]) / span, 0.0, 1.0)
    u = u * u * (3 - 2 * u)
    u = u if values.ndim == 1 else u[:, None]
    return values[after - 1] * (1 - u) + values[after] * u


def _track(value: object, frames: int) -> Array:
    """(T, 3) from a constant, an array of three tracks or a tuple that mixes numbers and (T,) tracks."""
    if isinstance(value, np.ndarray) and value.ndim == 2:
        return value
    parts = [np.broadcast_to(np.asarray(part, dtype=float), (frames,)) for part in value]  # type: ignore[attr-defined]
    return np.stack(parts, axis=-1)


def _two_bones(root: Array, target: Array, pole: Array, *, upper: float, lower: float) -> tuple[Array, Array]:
    """Middle and end joint of two bones from ``root`` to ``target``, bent towards ``pole``."""
    reach = target - root
    distance = np.linalg.norm(reach, axis=-1, keepdims=True)
    along = reach / np.maximum(distance, 1e-6)
    distance = np.clip(distance, abs(upper - lower) + 0.02, (upper + lower) * 0.999)
    cosine = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    side = pole - along * np.sum(pole * along, axis=-1, keepdims=True)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-6)
    middle = root + upper * (along * cosine + side * np.sqrt(np.clip(1 - cosine**2, 0, 1)))
    return middle, root + along * distance
