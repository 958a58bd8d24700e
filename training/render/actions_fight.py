"""Written movement of fights: blows, fencing, swords."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.render.actions import action, held, one, placed, stance, sway
from training.render.skeleton import STAND, Array, Motion, Pose, Prop, keys, solve


def _two_handed(pose: Pose, path: Array) -> None:
    """Both hands on one grip that follows ``path`` (T, 3) in the trunk's frame."""
    pose.r_hand, pose.l_hand = path + [-0.03, 0.03, 0], path + [0.03, -0.03, 0]


@action("punch")
def punch(rng: np.random.Generator, t: Array) -> Motion:
    pose, loop = Pose(**stance(rng, t)), rng.uniform(0.45, 0.9)
    jab, cross = (_strike(t + shift, loop) for shift in (0.0, loop / 2 * rng.choice([0.9, 1.1])))
    guard_l, guard_r = np.array([0.14, 0.02, 0.24]), np.array([-0.14, 0.0, 0.2])
    pose.l_hand = guard_l + jab[:, None] * [-0.1, 0.04, 0.34]
    pose.r_hand = guard_r + cross[:, None] * [0.12, 0.06, 0.4]
    pose.bend = np.stack([0.15 + 0 * t, 0.45 * (cross - jab) - 0.2, 0 * t], -1)
    pose.l_foot, pose.r_foot = (0.12, 0.08, 0.22), (-0.15, 0.08, -0.2)
    pose.pelvis = np.stack([0 * t, STAND - 0.08 + 0.02 * np.sin(t * 9), 0.06 * (cross + jab)], -1)
    if rng.random() < 0.35:
        other = solve(_staggered(rng, t, cross), len(t))
        return replace(
            one(pose, t), people=(solve(pose, len(t)), placed(other, yaw=np.pi, at=(0.0, 0.0, 0.85)))
        )
    return one(pose, t, framing="upper" if rng.random() < 0.3 else "body")


@action("hit")
def hit(rng: np.random.Generator, t: Array) -> Motion:
    loop = rng.uniform(0.7, 1.3)
    pose = Pose(**stance(rng, t))
    blow = keys(
        t + rng.uniform(0, 0.3), (0, 0.0), (0.45 * loop, 0.0), (0.6 * loop, 1.0), (loop, 0.0), loop=loop
    )[:, None]
    pose.r_hand = np.array([-0.28, 0.4, -0.05]) * (1 - blow) + np.array([-0.05, -0.1, 0.5]) * blow
    pose.bend = np.stack([-0.1 + 0.5 * blow[:, 0], -0.4 + 0.7 * blow[:, 0], 0 * t], -1)
    first = solve(pose, len(t))
    if rng.random() < 0.6:
        other = solve(_staggered(rng, t, blow[:, 0]), len(t))
        return Motion((first, placed(other, yaw=np.pi, at=(0.0, 0.0, 0.9))))
    stick = np.stack([0 * t, 1 - 1.4 * blow[:, 0], 0.2 + 0.8 * blow[:, 0]], -1)
    return held(Motion((first,)), stick, length=rng.uniform(0.3, 0.7), radius=0.025, tone="wood")


@action("fencing")
def fencing(rng: np.random.Generator, t: Array) -> Motion:
    people: list[Array] = []
    props: list[Prop] = []
    lunges = [
        keys(t + rng.uniform(0, 1.4), (0, 0.0), (0.7, 0.0), (0.95, 1.0), (1.2, 1.0), (1.6, 0.0), loop=1.6)
        for _ in range(2)
    ]
    lunges[1] = lunges[1] * rng.uniform(0, 0.6)
    for k, lunge in enumerate(lunges):
        shuffle = 0.12 * np.sin(t * rng.uniform(3, 6) + k * 2)
        pose = Pose(
            pelvis=(0.0, STAND - 0.14 - 0.12 * lunge, 0.35 * lunge),
            bend=(0.1 + 0.15 * lunge, -0.9, 0.0),
            head=(0, 0.8, 0),
        )
        pose.l_foot = (0.05, 0.08 + 0.1 * np.sin(np.pi * lunge) * (lunge < 0.9), 0.25 + 0.5 * lunge)
        pose.r_foot = (-0.05, 0.08, -0.3)
        pose.l_hand = np.stack(
            [0.32 + 0.28 * lunge, -0.1 + 0.12 * lunge + 0.05 * np.sin(t * 7 + k), 0.22 - 0.1 * lunge], -1
        )
        pose.r_hand = np.stack([-0.35 - 0.2 * lunge, 0.15 - 0.35 * lunge, -0.15 + 0 * t], -1)
        pose.travel = (0.0, 0.0, shuffle)
        body = solve(pose, len(t))
        far = rng.uniform(1.9, 2.5)
        people.append(placed(body, yaw=np.pi * k, at=(0.0, 0.0, far * k)))
        fencer = Motion((people[-1],))
        tip = np.stack(
            [0.05 * np.sin(t * 6), 0.1 + 0.1 * np.sin(t * 5 + k), np.full_like(t, 1.0 - 2.0 * k)], -1
        )
        props += held(fencer, tip, length=0.85, radius=0.012, side="l", tone="metal").props
    return Motion(tuple(people), tuple(props))


@action("sword")
def sword(rng: np.random.Generator, t: Array) -> Motion:
    first, blade = _swordsman(rng, t)
    second, other = _swordsman(rng, t)
    far = rng.uniform(1.3, 1.8)
    turned = placed(second.people[0], yaw=np.pi, at=(0.0, 0.0, far))
    opponent = held(Motion((turned,)), other * [-1, 1, -1], length=0.85, radius=0.02, tone="metal")
    mine = held(first, blade, length=0.85, radius=0.02, tone="metal")
    return Motion((first.people[0], turned), (*mine.props, *opponent.props))


@action("sword_exercise")
def sword_exercise(rng: np.random.Generator, t: Array) -> Motion:
    motion, blade = _swordsman(rng, t, spin=rng.uniform(0, 1.2))
    return held(motion, blade, length=0.85, radius=0.02, tone="metal")


@action("draw_sword")
def draw_sword(rng: np.random.Generator, t: Array) -> Motion:
    at, length = rng.uniform(0.2, 0.7), rng.uniform(0.35, 0.8)
    out = keys(t, (at, 0.0), (at + length, 1.0), (at + length + 0.5, 1.1))
    pose = Pose(**stance(rng, t))
    hip, drawn = np.array([0.14, -0.46, 0.16]), np.array([-0.35, rng.uniform(-0.1, 0.35), 0.4])
    pose.r_hand = (
        hip * (1 - out[:, None])
        + drawn * out[:, None]
        + np.stack([0 * t, 0.15 * np.sin(np.pi * np.clip(out, 0, 1)), 0 * t], -1)
    )
    pose.l_hand = np.array([0.2, -0.46, 0.08]) + sway(rng, t, 0.01)
    pose.bend = np.stack([0.12 + 0 * t, 0.4 - 0.8 * out, 0 * t], -1)
    motion = one(pose, t, framing="upper" if rng.random() < 0.4 else "body")
    angle = keys(out, (0, 0.0), (0.5, 0.6), (1.0, 2.3))
    blade = np.stack([0.45 * np.cos(angle), -np.cos(angle), -0.4 * np.cos(angle) + 0.7 * np.sin(angle)], -1)
    return held(motion, blade, length=0.8, radius=0.018, tone="metal")


def _swordsman(rng: np.random.Generator, t: Array, spin: float = 0.0) -> tuple[Motion, Array]:
    """One person cutting the air, and where the blade points."""
    loop = rng.uniform(0.7, 1.3)
    cut = keys(
        t + rng.uniform(0, loop), (0, -1.0), (0.35 * loop, 1.0), (0.6 * loop, 0.8), (loop, -1.0), loop=loop
    )
    slant = rng.uniform(-0.5, 0.5)
    pose = Pose(**stance(rng, t))
    pose.r_hand = np.stack([-0.12 + slant * cut, 0.12 - 0.35 * cut, 0.3 + 0.14 * np.cos(cut * 1.5)], -1)
    if rng.random() < 0.5:
        pose.l_hand = np.asarray(pose.r_hand) + [0.06, -0.06, 0]
    else:
        pose.l_hand = np.array([0.35, -0.15, -0.1]) + sway(rng, t, 0.04)
    pose.bend = np.stack([0.15 + 0.15 * cut, 0.35 * slant * cut, 0 * t], -1)
    step = 0.15 * np.sin(t * 6.28 / loop)
    pose.l_foot, pose.r_foot = (0.13, 0.08, 0.2 + step), (-0.13, 0.08, -0.2 - 0.5 * step)
    pose.pelvis = np.stack([0 * t, STAND - 0.1 - 0.05 * np.abs(cut), step * 0.5], -1)
    pose.body = (0.0, spin * t, 0.0)
    blade = np.stack([slant * cut, 0.3 - 0.9 * cut, 0.9 + 0.1 * cut], -1)
    return one(pose, t), blade


def _strike(t: Array, loop: float) -> Array:
    return keys(t, (0, 0.0), (0.12, 1.0), (0.32, 0.0), (max(loop, 0.36), 0.0), loop=max(loop, 0.36))


def _staggered(rng: np.random.Generator, t: Array, blow: Array) -> Pose:
    """Somebody who is being hit: thrown back with each blow, (T,) from 0 to 1."""
    late = np.roll(blow, 1)
    pose = Pose(**stance(rng, t))
    pose.bend = np.stack([-0.35 * late, 0.4 * late, 0 * t], -1)
    pose.head = (-0.3 * late, 0.4 * late, 0.0)
    pose.l_hand, pose.r_hand = (0.2, -0.1, 0.25), (-0.2, -0.15, 0.25)
    return pose
