"""Written movement with balls and clubs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.render.actions import action, grip, held, one, stance, stroll, sway
from training.render.skeleton import STAND, Array, Motion, Pose, Prop, keys


def _two_handed(pose: Pose, path: Array) -> None:
    """Both hands on one grip that follows ``path`` (T, 3) in the trunk's frame."""
    pose.r_hand, pose.l_hand = path + [-0.03, 0.03, 0], path + [0.03, -0.03, 0]


@action("golf")
def golf(rng: np.random.Generator, t: Array) -> Motion:
    back = rng.uniform(0.5, 1.0)
    top, hit = back + rng.uniform(0.0, 0.2), back + rng.uniform(0.45, 0.55)
    end = hit + 0.35
    turn = keys(t, (0, 0.0), (back, -1.0), (top, -1.05), (hit, 0.1), (end, 1.1), (end + 1, 1.15))
    pose = Pose(pelvis=(0.0, STAND - 0.07, -0.08), l_foot=(0.2, 0.08, 0), r_foot=(-0.2, 0.08, 0))
    pose.bend = np.stack([0.45 - 0.3 * np.clip(turn, 0, 1), 0.8 * turn, 0 * t], -1)
    lift = np.abs(turn)
    path = np.stack([0.18 * turn, -0.45 + 0.6 * lift, 0.32 - 0.05 * lift], -1)
    _two_handed(pose, path)
    pose.head = (0.35, -0.6 * np.clip(turn, -1, 0.3), 0.0)
    motion = one(pose, t)
    swing = turn * 2.6
    club = np.stack([np.sin(swing) * 0.9, -np.cos(swing), 0.55 * np.cos(swing)], -1)
    return held(motion, club, length=0.85, radius=0.016, tone="metal")


@action("swing_baseball")
def swing_baseball(rng: np.random.Generator, t: Array) -> Motion:
    wind = rng.uniform(0.4, 0.9)
    hit = wind + rng.uniform(0.22, 0.35)
    turn = keys(t, (0, -0.7), (wind, -1.0), (hit, 0.3), (hit + 0.3, 1.2), (hit + 1, 1.2))
    step = keys(t, (wind - 0.3, 0.0), (wind, 1.0))
    pose = Pose(
        pelvis=(0.1 * step, STAND - 0.1, 0.0),
        l_foot=(0.18 + 0.22 * step, 0.08 + 0.12 * np.sin(np.pi * step), 0),
        r_foot=(-0.24, 0.08, 0),
    )
    pose.bend = np.stack([0.2 + 0 * t, 0.9 * turn, 0 * t], -1)
    path = np.stack([0.22 * turn, 0.02 - 0.1 * np.cos(turn * 1.4), 0.36 + 0 * t], -1)
    _two_handed(pose, path)
    pose.head = (0.1, 0.7 - 0.6 * np.clip(turn, -1, 0.3), 0.0)
    motion = one(pose, t)
    swing = turn * 2.3
    bat = np.stack([np.sin(swing), 0.8 * np.clip(-turn, 0, 1) + 0.1, np.cos(swing)], -1)
    motion = held(motion, bat, length=0.72, radius=0.032, tone="wood")
    if rng.random() < 0.5:
        flown = t - hit
        ball = np.stack(
            [0.4 + np.where(flown < 0, -9 * flown, 9 * flown), 1.0 + np.clip(flown, 0, 1) * 3, 0.6 + 0 * t],
            -1,
        )
        motion = replace(motion, props=(*motion.props, Prop(ball, ball, 0.045, "ball")))
    return motion


@action("throw")
def throw(rng: np.random.Generator, t: Array) -> Motion:
    at = rng.uniform(0.6, 1.1)
    pose = Pose(**stance(rng, t))
    far = rng.uniform(0.3, 0.5)
    pose.r_hand = keys(
        t,
        (0, (-0.15, -0.25, 0.25)),
        (at - 0.3, (-0.4, 0.15, -0.3)),
        (at, (-0.22, 0.35, 0.35)),
        (at + 0.25, (0.05, -0.3, far)),
        (at + 0.9, (-0.2, -0.45, 0.1)),
    )
    pose.l_hand = keys(
        t,
        (0, (0.15, -0.25, 0.25)),
        (at - 0.3, (0.25, 0.05, 0.5)),
        (at + 0.1, (0.3, -0.35, 0.0)),
        (at + 0.8, (0.25, -0.48, 0.05)),
    )
    pose.bend = np.stack(
        [
            keys(t, (0, 0.0), (at - 0.3, -0.2), (at + 0.2, 0.5), (at + 1, 0.1)),
            keys(t, (0, 0.0), (at - 0.3, -0.8), (at + 0.1, 0.6), (at + 1, 0.1)),
            0 * t,
        ],
        -1,
    )
    pose.l_foot = keys(
        t, (0, (0.12, 0.08, 0.0)), (at - 0.35, (0.1, 0.25, 0.15)), (at - 0.1, (0.12, 0.08, 0.4))
    )
    pose.pelvis = np.stack(
        [0 * t, STAND - 0.05 - 0.05 * (t > at - 0.1), keys(t, (at - 0.4, 0.0), (at, 0.22))], -1
    )
    motion = one(pose, t)
    return replace(
        motion,
        props=(
            _thrown(
                motion,
                t,
                at,
                speed=(0.0, rng.uniform(1, 4), rng.uniform(5, 11)),
                radius=rng.uniform(0.04, 0.1),
            ),
        ),
    )


@action("catch")
def catch(rng: np.random.Generator, t: Array) -> Motion:
    at = rng.uniform(0.5, 1.1)
    pose = Pose(**stance(rng, t))
    reach = (rng.uniform(-0.25, 0.25), rng.uniform(-0.25, 0.4), rng.uniform(0.35, 0.48))
    both = rng.random() < 0.6
    ready, pulled = np.array([0.0, -0.25, 0.25]), np.array([0.0, -0.2, 0.2])
    path = keys(
        t, (0, ready), (at - 0.35, ready), (at, np.asarray(reach)), (at + 0.25, pulled), (at + 1, pulled)
    )
    pose.r_hand = path + [-0.09, 0, 0]
    pose.l_hand = path + [0.09, 0, 0] if both else np.array([0.3, -0.35, 0.1]) + sway(rng, t, 0.03)
    dip = keys(t, (at - 0.3, 0.0), (at, 1.0), (at + 0.5, 0.2))
    pose.pelvis = np.stack([reach[0] * 0.6 * dip, STAND - 0.06 - 0.1 * dip, 0 * t], -1)
    motion = one(pose, t)
    hand = grip(motion, "r") + [0.06 if both else 0, 0, 0.03]
    before = np.clip(at - t, 0, None)[:, None]
    ball = hand + before * np.array([rng.uniform(-1, 1), 0.6, rng.uniform(5, 9)])
    return replace(motion, props=(Prop(ball, ball, rng.uniform(0.04, 0.12), "ball"),))


@action("shoot_ball")
def shoot_ball(rng: np.random.Generator, t: Array) -> Motion:
    at = rng.uniform(0.6, 1.1)
    dip = keys(t, (0, 0.2), (at - 0.3, 1.0), (at, 0.0), (at + 0.4, 0.0), (at + 0.6, 0.5), (at + 1, 0.0))
    hop = rng.uniform(0, 0.45) * np.clip(np.sin(np.pi * np.clip((t - at + 0.15) / 0.5, 0, 1)), 0, 1)
    pose = Pose(
        pelvis=(0.0, STAND - 0.03 - 0.22 * dip + hop, 0.0),
        bend=(0.25 * dip, 0.0, 0.0),
        l_foot=(0.12, 0.08 + hop, 0.0),
        r_foot=(-0.12, 0.08 + hop, 0.08),
    )
    path = keys(
        t,
        (0, (0.0, -0.3, 0.28)),
        (at - 0.3, (0.0, -0.2, 0.28)),
        (at - 0.1, (-0.06, 0.3, 0.2)),
        (at + 0.05, (-0.1, 0.5, 0.25)),
        (at + 0.6, (-0.12, 0.35, 0.35)),
        (at + 1.1, (-0.2, -0.4, 0.1)),
    )
    pose.r_hand, pose.l_hand = path + [-0.04, 0, 0], path * [-1, 1, 1] + [0.1, -0.04, 0]
    pose.head = (-0.25, 0.0, 0.0)
    motion = one(pose, t)
    return replace(
        motion, props=(_thrown(motion, t, at + 0.02, speed=(0.0, 5.5, rng.uniform(2.5, 4)), radius=0.12),)
    )


@action("dribble")
def dribble(rng: np.random.Generator, t: Array) -> Motion:
    loop, moving = rng.uniform(0.45, 0.75), rng.random() < 0.6
    fields = stroll(t, speed=rng.uniform(0.8, 3), lift=0.2) if moving else stance(rng, t)
    pose = Pose(**fields)
    pose.bend = (rng.uniform(0.25, 0.6), 0.0, 0.0)
    pump = ((t + rng.uniform(0, 1)) % loop) / loop
    bounce = np.abs(2 * pump - 1) ** 0.8
    pose.r_hand = np.stack([-0.28 + 0 * t, -0.42 + 0.2 * bounce, 0.28 + 0 * t], -1)
    motion = one(pose, t)
    hand = grip(motion, "r")
    ball = hand * [1, 0, 1] + np.stack([0 * t, 0.12 + (hand[:, 1] - 0.24) * bounce, 0.05 + 0 * t], -1)
    return replace(motion, props=(Prop(ball, ball, 0.12, "ball"),))


def _thrown(motion: Motion, t: Array, at: float, *, speed: tuple[float, float, float], radius: float) -> Prop:
    """A ball in the right hand until ``at`` seconds, then flying."""
    hand = grip(motion, "r") + [0, 0.02, 0.03]
    release = hand[int(np.argmin(np.abs(t - at)))]
    flown = np.clip(t - at, 0, None)[:, None]
    flight = release + flown * np.asarray(speed) - np.array([0, 4.9, 0]) * flown**2
    flight[:, 1] = np.maximum(flight[:, 1], radius)
    path = np.where((t > at)[:, None], flight, hand)
    return Prop(path, path, radius, "ball")
