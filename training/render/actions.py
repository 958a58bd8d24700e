"""The register of written movement: label -> functions that make one person (or two) do it.

Each takes a random generator and times (T,) in seconds and returns a :class:`Motion`. Tempo, reach, side and
stance vary by the generator alone, so a seed gives the same movement again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from training.render.skeleton import INDEX, STAND, Array, Motion, Pose, Prop, mirrored, rotation, solve

Action = Callable[[np.random.Generator, Array], Motion]

ACTIONS: dict[str, list[Action]] = {}


def action(label: str) -> Callable[[Action], Action]:
    """Registers a function as one way to do what ``label`` names."""

    def register(function: Action) -> Action:
        ACTIONS.setdefault(label, []).append(function)
        return function

    return register


def written(label: str, rng: np.random.Generator, t: Array) -> Motion:
    """A movement of a label written here, sometimes left-handed."""
    choices = ACTIONS[label]
    motion = choices[int(rng.integers(len(choices)))](rng, t)
    if rng.random() < 0.5:
        flip = np.array([-1.0, 1.0, 1.0])
        props = tuple(replace(prop, a=prop.a * flip, b=prop.b * flip) for prop in motion.props)
        motion = replace(motion, people=tuple(mirrored(joints) for joints in motion.people), props=props)
    return motion


def sway(rng: np.random.Generator, t: Array, size: float = 0.015) -> Array:
    """A slow, aperiodic wandering, (T, 3): nobody stands quite still."""
    phase, rate = rng.uniform(0, 6.3, (2, 3)), rng.uniform(1.0, 4.0, (2, 3))
    return size * sum(np.sin(t[:, None] * rate[k] + phase[k]) for k in range(2))


def stance(
    rng: np.random.Generator, t: Array, *, seated: float = 0.0, walking: float = 0.0
) -> dict[str, object]:
    """Fields of a pose for somebody whose hands are busy: standing, seated or strolling, chosen by chance."""
    drift = sway(rng, t)
    chance = rng.random()
    if chance < seated:
        height = rng.uniform(0.42, 0.55)
        return {
            "pelvis": np.array([0, height, 0]) + drift * 0.6,
            "bend": sway(rng, t, 0.04) + [rng.uniform(-0.15, 0.3), 0, 0],
            "l_foot": (0.14, 0.08, rng.uniform(0.3, 0.5)),
            "r_foot": (-0.14, 0.08, rng.uniform(0.3, 0.5)),
        }
    if chance < seated + walking:
        return stroll(t * rng.uniform(0.8, 1.1), speed=rng.uniform(0.7, 1.2))
    width = rng.uniform(0.09, 0.2)
    return {
        "pelvis": np.array([0, STAND - rng.uniform(0, 0.06), 0]) + drift,
        "bend": sway(rng, t, 0.05) + [rng.uniform(-0.05, 0.15), 0, 0],
        "l_foot": (width, 0.08, rng.uniform(-0.1, 0.1)),
        "r_foot": (-width, 0.08, rng.uniform(-0.1, 0.1)),
    }


def stroll(
    t: Array, *, speed: float, lift: float = 0.12, stride: float = 0.32, bounce: float = 0.025
) -> dict[str, object]:
    """Fields of a pose for walking forward at ``speed`` metres a second (running with higher lift and stride)."""
    rate = speed / (4 * stride) * 2 * np.pi
    phase = t * rate
    feet = {}
    for side, sign, shift in (("l", 1, 0.0), ("r", -1, np.pi)):
        p = phase + shift
        feet[f"{side}_foot"] = (0.09 * sign, 0.08 + lift * np.clip(np.sin(p), 0, 1), -stride * np.cos(p))
    hands = {
        "l_hand": (0.25, -0.48, 0.8 * stride * np.cos(phase)),
        "r_hand": (-0.25, -0.48, -0.8 * stride * np.cos(phase)),
    }
    height = STAND - 0.06 - bounce * (1 + np.cos(2 * phase)) / 2
    return {
        "pelvis": (0.0, height, 0.0),
        "bend": (0.04 + 0.05 * speed, 0.12 * np.cos(phase), 0.0),
        "travel": (0.0, 0.0, t * speed),
        **feet,
        **hands,
    }


def one(pose: Pose, t: Array, *props: Prop, framing: str = "body") -> Motion:
    """A motion of one person from a written pose."""
    return Motion((solve(pose, len(t)),), props, framing=framing)


def joint(motion: Motion, name: str, person: int = 0) -> Array:
    """The path (T, 3) of one joint."""
    return motion.people[person][:, INDEX[name]]


def grip(motion: Motion, side: str, person: int = 0) -> Array:
    """The path (T, 3) of the middle of a hand, a little beyond the wrist."""
    wrist = joint(motion, f"{side}_wrist", person)
    return wrist + 0.28 * (wrist - joint(motion, f"{side}_elbow", person))


def held(
    motion: Motion, direction: Array, *, length: float, radius: float, side: str = "r", tone: str = "prop"
) -> Motion:
    """The motion with a stick in one hand that points along ``direction`` (T, 3)."""
    hand = grip(motion, side)
    unit = direction / np.maximum(np.linalg.norm(direction, axis=-1, keepdims=True), 1e-6)
    stick = Prop(hand - 0.08 * unit, hand + length * unit, radius, tone)
    return replace(motion, props=(*motion.props, stick))


def placed(joints: Array, *, yaw: float = 0.0, at: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Array:
    """Joints turned about the vertical and set down elsewhere."""
    return np.einsum("tij,tkj->tki", rotation((0.0, yaw, 0.0), len(joints)), joints) + np.asarray(at)


def pair(first: Pose, second: Pose, t: Array, *, gap: Array | float, framing: str = "body") -> Motion:
    """Two people face to face, ``gap`` metres apart (a number or a track)."""
    apart = np.broadcast_to(np.asarray(gap, dtype=float), t.shape)
    shift = np.stack([np.zeros_like(apart), np.zeros_like(apart), apart], axis=-1)[:, None]
    other = placed(solve(second, len(t)), yaw=np.pi)
    return Motion((solve(first, len(t)), other + shift), framing=framing)
