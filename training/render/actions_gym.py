"""Written movement of gymnastics, dives and falls: bodies that turn over, hang or lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.render.actions import action, joint, one, stance
from training.render.skeleton import STAND, Array, Motion, Pose, Prop, keys


@action("pullup")
def pullup(rng: np.random.Generator, t: Array) -> Motion:
    loop, bar = rng.uniform(1.2, 2.4), 2.2
    up = 0.5 - 0.5 * np.cos((t + rng.uniform(0, loop)) * 6.28 / loop)
    wide = rng.uniform(0.2, 0.38)
    neck = bar - 0.52 + 0.47 * up
    pelvis = neck - 0.46
    legs = rng.uniform(0.05, 0.35)
    pose = Pose(
        pelvis=(0.0, pelvis, -0.08 + 0.03 * np.sin(t * 3)),
        l_hand=(wide, bar - neck, 0.06),
        r_hand=(-wide, bar - neck, 0.06),
    )
    pose.l_foot, pose.r_foot = (
        (0.1, pelvis - 0.84 + legs, -legs * 0.9),
        (-0.1, pelvis - 0.84 + legs, -legs * 0.9),
    )
    pose.elbows = (1.0, -0.6, 0.3)
    a, b = np.tile([0.9, bar + 0.02, 0.0], (len(t), 1)), np.tile([-0.9, bar + 0.02, 0.0], (len(t), 1))
    return one(pose, t, Prop(a, b, 0.025, "metal"))


@action("pushup")
def pushup(rng: np.random.Generator, t: Array) -> Motion:
    loop = rng.uniform(0.9, 2.0)
    down = 0.5 - 0.5 * np.cos((t + rng.uniform(0, loop)) * 6.28 / loop)
    pelvis = 0.42 - 0.26 * down
    shoulder = 0.56 - 0.40 * down
    pitch = np.pi / 2 - np.arcsin(np.clip((shoulder - pelvis) / 0.46, -1, 1))
    pose = Pose(pelvis=(0.0, pelvis, 0.0), bend=(pitch, 0.0, 0.0), head=(-0.3, 0.0, 0.0))
    wide = rng.uniform(0.2, 0.32)
    pose.l_hand, pose.r_hand = (wide, -0.08, shoulder - 0.05), (-wide, -0.08, shoulder - 0.05)
    pose.l_foot, pose.r_foot = (0.1, 0.12, -0.84), (-0.1, 0.12, -0.84)
    pose.toes, pose.elbows, pose.knees = (0, -1.0, 0.1), (1.0, -0.7, -0.2), (0, -1, 0)
    return one(pose, t)


@action("situp")
def situp(rng: np.random.Generator, t: Array) -> Motion:
    loop = rng.uniform(1.1, 2.4)
    up = 0.5 - 0.5 * np.cos((t + rng.uniform(0, loop)) * 6.28 / loop)
    pose = Pose(
        pelvis=(0.0, 0.13, 0.0), bend=(-1.5 + rng.uniform(1.5, 2.1) * up, 0.0, 0.0), head=(0.3, 0.0, 0.0)
    )
    pose.l_foot, pose.r_foot = (0.12, 0.08, 0.5), (-0.12, 0.08, 0.5)
    pose.l_hand, pose.r_hand = (
        ((0.13, 0.14, -0.02), (-0.13, 0.14, -0.02))
        if rng.random() < 0.6
        else ((0.1, -0.2, 0.14), (-0.1, -0.15, 0.14))
    )
    pose.elbows, pose.knees = (1.0, 0.0, 0.3), (0.1, 1.0, 0.3)
    return one(pose, t)


@action("handstand")
def handstand(rng: np.random.Generator, t: Array) -> Motion:
    rise = rng.uniform(0.5, 1.0)
    start = rng.random() < 0.5
    angle = keys(t, (0, 0.6 if start else np.pi), (rise, np.pi), (4, np.pi)) + 0.06 * np.sin(t * 5)
    split = rng.uniform(0, 0.4) * np.ones_like(t) + (keys(t, (0, 0.5), (rise + 0.2, 0.0)) if start else 0)
    return _on_hands(t, angle, split, axis="pitch")


@action("cartwheel")
def cartwheel(rng: np.random.Generator, t: Array) -> Motion:
    begin, length = rng.uniform(0.05, 0.5), rng.uniform(0.8, 1.3)
    angle = keys(t, (begin, 0.0), (begin + length, 2 * np.pi))
    pose = Pose(l_hand=(0.3, 0.42, 0.0), r_hand=(-0.3, 0.42, 0.0), elbows=(1, 0, -0.2))
    inside = np.sin(angle / 2)
    pose.l_foot, pose.r_foot = (
        (0.12 + 0.45 * inside, 0.08 + 0.12 * inside, 0.0),
        (-0.12 - 0.45 * inside, 0.08 + 0.12 * inside, 0.0),
    )
    pose.body = (0.0, 0.0, angle)
    pose.travel = (-1.9 * angle / (2 * np.pi), -0.02 + 0.12 * inside, 0.0)
    return one(pose, t)


@action("flic_flac")
def flic_flac(rng: np.random.Generator, t: Array) -> Motion:
    loop, begin = rng.uniform(0.75, 1.1), rng.uniform(0, 0.4)
    turns = keys(t, (begin, 0.0), (begin + loop, 1.0), (begin + 2 * loop, 2.0))
    angle, inside = -2 * np.pi * turns, np.abs(np.sin(np.pi * turns))
    pose = Pose(
        bend=(-0.5 * inside, 0.0, 0.0), l_hand=(0.2, 0.5, 0.05), r_hand=(-0.2, 0.5, 0.05), elbows=(1, 0, 0.5)
    )
    pose.l_foot, pose.r_foot = (
        (0.1, 0.1 + 0.15 * inside, -0.3 * inside),
        (-0.1, 0.1 + 0.15 * inside, -0.25 * inside),
    )
    pose.body, pose.travel = (angle, 0.0, 0.0), (0.0, 0.1 * inside, -1.7 * turns)
    return one(pose, t)


@action("somersault")
def somersault(rng: np.random.Generator, t: Array) -> Motion:
    begin, length = rng.uniform(0, 0.5), rng.uniform(0.7, 1.2)
    turns = keys(t, (begin, 0.0), (begin + length, 1.0))
    tuck = keys(
        t,
        (max(begin - 0.3, 0), 0.0),
        (begin + 0.2, 1.0),
        (begin + length - 0.1, 1.0),
        (begin + length + 0.3, 0.0),
    )
    flying = rng.random() < 0.4
    height = STAND - 0.55 * tuck + (1.1 * np.sin(np.pi * turns) if flying else 0)
    pose = Pose(pelvis=(0.0, height, 0.0), bend=(0.9 * tuck, 0.0, 0.0), head=(0.5 * tuck, 0.0, 0.0))
    for side, sign in (("l", 1), ("r", -1)):
        setattr(pose, f"{side}_foot", (0.1 * sign, height - STAND + 0.08 + 0.42 * tuck, 0.34 * tuck))
        setattr(pose, f"{side}_hand", (0.2 * sign, -0.4 + 0.05 * tuck, 0.1 + 0.35 * tuck))
    pose.body = (2 * np.pi * turns * (-1 if flying and rng.random() < 0.4 else 1), 0.0, 0.0)
    pose.travel = (0.0, 0.0, 1.3 * turns)
    return one(pose, t)


@action("dive")
def dive(rng: np.random.Generator, t: Array) -> Motion:
    begin, length = rng.uniform(0.1, 0.6), rng.uniform(0.8, 1.3)
    u = keys(t, (begin, 0.0), (begin + length, 1.0))
    flight = np.clip(t - begin, 0, length + 0.4)
    arms = keys(t, (0, -0.4), (begin, 0.3), (begin + 0.25, 1.0))
    pose = Pose(
        bend=(0.5 * np.sin(np.pi * u), 0.0, 0.0),
        l_foot=(0.07, 0.06, 0.0),
        r_foot=(-0.07, 0.06, 0.0),
        toes=(0, -1, 0.3),
    )
    pose.l_hand = np.stack(
        [0.2 - 0.12 * np.clip(arms, 0, 1), -0.45 + 0.95 * np.clip(arms, 0, 1), 0.2 * np.cos(arms)], -1
    )
    pose.r_hand = pose.l_hand * [-1, 1, 1]
    spins = 2 * np.pi * (rng.random() < 0.25)
    pose.body = ((2.7 + spins) * u, 0.0, 0.0)
    pose.travel = (0.0, 1.2 * flight - 2.6 * flight**2, 1.6 * flight)
    return one(pose, t)


@action("fall_floor")
def fall_floor(rng: np.random.Generator, t: Array) -> Motion:
    begin, length = rng.uniform(0.1, 0.8), rng.uniform(0.45, 0.9)
    u = keys(t, (begin, 0.0), (begin + length, 1.0)) ** 1.3
    way = rng.choice([-1.0, 1.0])
    sideways = rng.uniform(-0.6, 0.6)
    pose = Pose(**stance(rng, t))
    pose.pelvis = np.stack([0 * t, STAND - 0.02 + 0 * t, 0 * t], -1)
    pose.bend = (0.35 * np.sin(np.pi * u) * way, 0.0, 0.0)
    for side, sign in (("l", 1), ("r", -1)):
        setattr(pose, f"{side}_foot", (sign * 0.13, 0.08 + 0.2 * np.sin(np.pi * u), 0.2 * np.sin(np.pi * u)))
        setattr(
            pose, f"{side}_hand", (sign * (0.25 + 0.3 * u), -0.45 + 0.45 * u, 0.1 + 0.3 * np.sin(np.pi * u))
        )
    pose.body = (1.5 * u * way, 0.0, sideways * u)
    pose.travel = (0.0, -(STAND - 0.14) * u, 0.7 * way * u)
    return one(pose, t)


def _on_hands(t: Array, angle: Array, split: Array, *, axis: str) -> Motion:
    """Upside down over the hands: the body turned by ``angle`` about where the hands meet the ground."""
    pose = Pose(l_hand=(0.2, 0.54, 0.04), r_hand=(-0.2, 0.54, 0.04), elbows=(1, 0, -0.2), toes=(0, -1, 0.3))
    pose.l_foot, pose.r_foot = (0.08, 0.08, split * 0.7), (-0.08, 0.08, -split * 0.7)
    pose.body = (angle, 0.0, 0.0) if axis == "pitch" else (0.0, 0.0, angle)
    tall = 0.46 + 0.54 + 0.07
    pose.travel = (0.0, -tall * np.cos(angle) - STAND, -tall * np.sin(angle))
    motion = one(pose, t)
    lowest = np.minimum(joint(motion, "l_wrist")[:, 1], joint(motion, "l_toe")[:, 1])
    return replace(motion, people=(motion.people[0] - np.stack([0 * t, lowest - 0.06, 0 * t], -1)[:, None],))
