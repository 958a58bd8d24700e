"""Written movement of the upper body: what hands and faces do while the person stands, sits or strolls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.render.actions import action, grip, held, joint, one, pair, stance, sway
from training.render.skeleton import Array, Motion, Pose, Prop, keys

MOUTH = np.array([-0.03, 0.15, 0.14])


def _wobble(rng: np.random.Generator, t: Array, hand: tuple[float, float, float]) -> Array:
    return np.asarray(hand) + sway(rng, t, 0.02)


def _to_mouth(
    rng: np.random.Generator,
    t: Array,
    *,
    low: tuple[float, float, float],
    up: float,
    stay: float,
    rest: float,
) -> Array:
    """Hand from ``low`` to the mouth and back, again and again."""
    start = rng.uniform(0, up + stay + rest)
    loop = 2 * up + stay + rest
    return keys(
        t + start, (0, low), (up, MOUTH), (up + stay, MOUTH), (2 * up + stay, low), (loop, low), loop=loop
    )


@action("wave")
def wave(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.15, walking=0.1))
    rate, wide = rng.uniform(7, 16), rng.uniform(0.08, 0.2)
    raised = keys(t, (0, 0.0), (rng.uniform(0.05, 0.6), 1.0)) if rng.random() < 0.4 else np.ones_like(t)
    high = rng.uniform(0.12, 0.55)
    swing = wide * np.sin(t * rate)
    if rng.random() < 0.2:
        pose.l_hand = (0.36 - swing, -0.5 + (0.5 + high) * raised, 0.15)
    pose.r_hand = (-0.36 + swing, -0.5 + (0.5 + high) * raised, 0.12 + 0.1 * raised)
    pose.elbows = (0.6, -1.0, -0.2)
    return one(pose, t, framing="upper" if rng.random() < 0.5 else "body")


@action("clap")
def clap(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.4, walking=0.05))
    rate, wide = rng.uniform(12, 26), rng.uniform(0.06, 0.2)
    x = 0.045 + wide * np.abs(np.sin(t * rate / 2))
    y, z = rng.uniform(-0.25, 0.1), rng.uniform(0.25, 0.38)
    pose.l_hand, pose.r_hand = (x, y, z), (-x, y, z)
    return one(pose, t, framing="upper" if rng.random() < 0.6 else "body")


@action("drink")
def drink(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.5))
    hand = _to_mouth(
        rng,
        t,
        low=(-0.2, -0.28, 0.3),
        up=rng.uniform(0.4, 0.9),
        stay=rng.uniform(0.6, 1.6),
        rest=rng.uniform(0, 0.6),
    )
    pose.r_hand, pose.l_hand = hand, _wobble(rng, t, (0.24, -0.42, 0.15))
    lifted = np.clip((hand[:, 1] + 0.28) / 0.43, 0, 1)
    pose.head = (-0.35 * lifted, 0.0, 0.0)
    motion = one(pose, t, framing="upper")
    glass = np.stack([0.1 + 0.35 * lifted, 1 - 0.6 * lifted, -0.55 * lifted], -1)
    return held(motion, glass, length=0.14, radius=0.042, tone="glass")


@action("eat")
def eat(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.75))
    pose.r_hand = _to_mouth(
        rng,
        t,
        low=(-0.12, -0.3, 0.34),
        up=rng.uniform(0.3, 0.6),
        stay=rng.uniform(0.1, 0.4),
        rest=rng.uniform(0.1, 0.9),
    )
    pose.l_hand = _wobble(rng, t, (0.18, -0.3, 0.3))
    pose.head = (0.15 + 0.06 * np.sin(t * rng.uniform(8, 12)), 0.0, 0.0)
    motion = one(pose, t, framing="upper")
    return held(motion, np.tile([0.2, 0.3, 0.3], (len(t), 1)), length=0.06, radius=0.02, tone="food")


@action("smoke")
def smoke(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.35, walking=0.1))
    pose.r_hand = _to_mouth(
        rng,
        t,
        low=(-0.28, -0.25, 0.25),
        up=rng.uniform(0.5, 0.8),
        stay=rng.uniform(0.5, 1.2),
        rest=rng.uniform(0.4, 1.5),
    )
    pose.l_hand = _wobble(rng, t, (0.24, -0.45, 0.08))
    pose.head = (rng.uniform(-0.15, 0.1), 0.2 * np.sin(t * 0.9), 0.0)
    motion = held(
        one(pose, t, framing="upper"),
        np.tile([0.1, 0.1, 0.5], (len(t), 1)),
        length=0.1,
        radius=0.008,
        tone="paper",
    )
    puff = joint(motion, "head") + np.stack([0 * t, 0.12 + 0.15 * (t % 1.5), 0.14 + 0.12 * (t % 1.5)], -1)
    return replace(motion, props=(*motion.props, Prop(puff, puff, 0.05, "smoke")))


@action("brush_hair")
def brush_hair(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.45))
    loop = rng.uniform(0.8, 1.6)
    top, low = (-0.1, 0.34, 0.04), (-0.17, rng.uniform(-0.15, 0.1), rng.uniform(0.0, 0.14))
    pose.r_hand = keys(
        t + rng.uniform(0, loop),
        (0, top),
        (0.6 * loop, low),
        (0.75 * loop, (-0.3, 0.15, 0.12)),
        (loop, top),
        loop=loop,
    )
    pose.l_hand = (
        _wobble(rng, t, (0.16, 0.02, 0.12)) if rng.random() < 0.5 else _wobble(rng, t, (0.22, -0.48, 0.08))
    )
    pose.head = (0.08, 0.0, 0.2 + 0.06 * np.sin(t * 6.28 / loop))
    pose.elbows = (1.0, -0.2, 0.2)
    motion = one(pose, t, framing="upper")
    return held(motion, np.tile([0.6, 0.8, 0.0], (len(t), 1)), length=0.12, radius=0.025)


@action("pour")
def pour(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.25))
    pose.bend = (rng.uniform(0.1, 0.35), 0.0, 0.0)
    tilt = keys(t, (0, 0.2), (rng.uniform(0.4, 0.9), 1.0), (rng.uniform(1.4, 2.2), 1.0), (2.8, 0.3))
    pose.r_hand = np.stack([-0.16 + 0.05 * tilt, -0.22 + 0.14 * tilt, 0.38 + 0 * t], -1) + sway(rng, t, 0.01)
    pose.l_hand = _wobble(rng, t, (0.1, -0.32, 0.36))
    pose.head = (0.4, 0.0, 0.0)
    motion = one(pose, t, framing="upper" if rng.random() < 0.6 else "body")
    bottle = np.stack([np.sin(1.9 * tilt), np.cos(1.9 * tilt), 0 * t], -1)
    motion = held(motion, bottle, length=0.22, radius=0.04, tone="glass")
    mug = grip(motion, "l")
    return replace(motion, props=(*motion.props, Prop(mug, mug + [0, 0.08, 0], 0.045, "glass")))


@action("shoot_gun")
def shoot_gun(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t))
    loop = rng.uniform(0.35, 1.0)
    kick = np.exp(-8 * ((t + rng.uniform(0, loop)) % loop))
    raised = keys(t, (0, rng.uniform(0.2, 1)), (0.5, 1.0))
    forward, y = 0.5 - 0.09 * kick, -0.45 + 0.47 * raised + 0.08 * kick
    pose.r_hand, pose.l_hand = (-0.04, y, forward), (0.05, y - 0.02, forward - 0.03)
    long = rng.random() < 0.45
    if long:
        pose.r_hand, pose.l_hand = (-0.12, y - 0.06, 0.2 - 0.05 * kick), (0.02, y - 0.02, 0.46 - 0.05 * kick)
    pose.bend = np.stack([0.05 - 0.12 * kick, 0 * t + rng.uniform(-0.3, 0.3), 0 * t], -1)
    motion = one(pose, t, framing="upper" if rng.random() < 0.4 else "body")
    barrel = np.stack([0 * t, 0.15 * kick, 1 + 0 * t], -1)
    return held(motion, barrel, length=0.75 if long else 0.2, radius=0.025, tone="metal")


@action("shoot_bow")
def shoot_bow(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t))
    draw_, hold = rng.uniform(0.5, 1.0), rng.uniform(0.3, 1.0)
    pull = keys(
        t + rng.uniform(0, 0.6),
        (0, 0.0),
        (draw_, 1.0),
        (draw_ + hold, 1.0),
        (draw_ + hold + 0.08, 0.3),
        (4, 0.0),
    )
    pose.bend = (0.0, -1.2, 0.0)
    pose.head = (0.0, 1.1, 0.0)
    pose.l_hand = (0.68, 0.05, 0.12)
    pose.r_hand = np.stack([0.5 - 0.62 * pull, 0.08 + 0 * t, 0.18 - 0.05 * pull], -1)
    pose.elbows = (0.8, 0.1, -0.6)
    motion = one(pose, t)
    hand, string = grip(motion, "l"), grip(motion, "r")
    tips = [hand + np.array([0, sign * 0.62, -0.15]) for sign in (1, -1)]
    parts = [Prop(hand, tip, 0.018, "wood") for tip in tips] + [
        Prop(tip, string, 0.006, "paper") for tip in tips
    ]
    return replace(motion, props=tuple(parts))


@action("talk")
def talk(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.4))
    pose.head = sway(rng, t, 0.12)
    for side, sign in (("l", 1), ("r", -1)):
        lively = rng.random() < 0.5
        base = (sign * 0.2, rng.uniform(-0.3, -0.1), 0.25) if lively else (sign * 0.22, -0.48, 0.08)
        setattr(pose, f"{side}_hand", np.asarray(base) + sway(rng, t * 2.2, 0.05 if lively else 0.01))
    opening = 0.5 + 0.5 * np.sin(t * rng.uniform(14, 22) + 2 * np.sin(t * 3))
    return _with_face(one(pose, t, framing=_near(rng)), opening * 0.8, np.full_like(t, 0.5))


@action("laugh")
def laugh(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.5))
    shake = np.sin(t * rng.uniform(18, 28))
    lean = keys(t, (0, 0.0), (0.6, rng.uniform(-0.35, 0.4)), (2.5, 0.1))
    pose.bend = np.stack([lean + 0.04 * shake, 0.1 * np.sin(t * 2), 0 * t], -1)
    pose.head = np.stack([-0.15 - 0.05 * shake, 0 * t, 0.1 * np.sin(t * 2.3)], -1)
    if rng.random() < 0.4:
        pose.r_hand = _wobble(rng, t, (-0.08, -0.2, 0.2))
    return _with_face(one(pose, t, framing=_near(rng)), 0.75 + 0.25 * shake, np.ones_like(t))


@action("smile")
def smile(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.5))
    pose.head = sway(rng, t, 0.05)
    grin = keys(t, (rng.uniform(0, 0.6), 0.1), (rng.uniform(0.8, 1.4), 1.0), (3, 1.0))
    return _with_face(one(pose, t, framing="face"), 0.3 * grin, grin)


@action("chew")
def chew(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t, seated=0.6))
    pose.head = sway(rng, t, 0.05)
    munch = 0.5 + 0.5 * np.sin(t * rng.uniform(8, 13))
    return _with_face(one(pose, t, framing="face"), 0.35 * munch, 0.25 + 0.2 * munch)


@action("kiss")
def kiss(rng: np.random.Generator, t: Array) -> Motion:
    gap = keys(t, (0, rng.uniform(0.5, 0.75)), (rng.uniform(0.4, 1.4), 0.4), (3, 0.38))
    poses = [Pose(**stance(rng, t)) for _ in range(2)]
    for pose in poses:
        near = np.clip((0.75 - gap) / 0.35, 0, 1)
        pose.bend, pose.head = (0.16 * near, 0.0, 0.0), (0.15 * near, 0.0, 0.22)
        pose.l_hand, pose.r_hand = _wobble(rng, t, (0.14, -0.12, 0.32)), _wobble(rng, t, (-0.2, -0.2, 0.28))
    return pair(poses[0], poses[1], t, gap=gap, framing="face" if rng.random() < 0.7 else "upper")


@action("hug")
def hug(rng: np.random.Generator, t: Array) -> Motion:
    meet = rng.uniform(0.5, 1.3)
    gap = keys(t, (0, rng.uniform(0.7, 1.5)), (meet, 0.3), (3, 0.28))
    near = keys(t, (0, 0.2), (meet, 1.0))
    poses = [Pose(**stance(rng, t)) for _ in range(2)]
    for k, pose in enumerate(poses):
        high = 0.05 if k else -0.15
        for side, sign in (("l", 1), ("r", -1)):
            setattr(pose, f"{side}_hand", (sign * (0.34 - 0.2 * near), high + 0 * t, 0.3 + 0.12 * near))
        pose.elbows = (1.2, -0.1, 0.0)
        pose.bend = np.stack([0.12 * near, 0.12 * np.sin(t * 2.5 + k) * near, 0.1 * np.sin(t * 2) * near], -1)
    return pair(poses[0], poses[1], t, gap=gap, framing="upper" if rng.random() < 0.5 else "body")


@action("shake_hands")
def shake_hands(rng: np.random.Generator, t: Array) -> Motion:
    meet = rng.uniform(0.2, 0.8)
    grasp = keys(t, (0, rng.uniform(0, 0.6)), (meet, 1.0))
    pump = 0.05 * np.sin(t * rng.uniform(11, 18)) * grasp
    poses = [Pose(**stance(rng, t)) for _ in range(2)]
    for pose in poses:
        pose.r_hand = np.stack([-0.2 + 0.2 * grasp, -0.45 + 0.18 * grasp + pump, 0.1 + 0.33 * grasp], -1)
        pose.bend = (0.05 + 0.06 * grasp, 0.0, 0.0)
    gap = keys(t, (0, rng.uniform(0.95, 1.3)), (meet, 0.95))
    return pair(poses[0], poses[1], t, gap=gap, framing="upper" if rng.random() < 0.4 else "body")


def _near(rng: np.random.Generator) -> str:
    return "face" if rng.random() < 0.55 else "upper"


def _with_face(motion: Motion, opening: Array, width: Array) -> Motion:
    """Eyes and a mouth for a face filmed from near; ``opening`` and ``width`` (T,) from 0 to 1."""
    head, neck = joint(motion, "head"), joint(motion, "neck")
    left = joint(motion, "l_shoulder") - joint(motion, "r_shoulder")
    left /= np.linalg.norm(left, axis=-1, keepdims=True)
    up = (head - neck) / np.linalg.norm(head - neck, axis=-1, keepdims=True)
    front = np.cross(left, up)
    parts = []
    for sign in (1, -1):
        eye = head + front * 0.095 + left * (0.04 * sign) + up * 0.03
        parts.append(Prop(eye, eye, 0.014, "eye"))
    corner = left * (0.022 + 0.028 * width)[:, None]
    drop = up * (0.012 + 0.028 * opening)[:, None]
    middle = head + front * 0.098 - up * 0.045
    for lip in (middle + drop * 0.2, middle - drop):
        parts.append(Prop(lip - corner + up * (0.012 * width)[:, None], lip, 0.010, "lips"))
        parts.append(Prop(lip, lip + corner + up * (0.012 * width)[:, None], 0.010, "lips"))
    return replace(motion, props=(*motion.props, *parts))
