"""Written movement on two feet: gaits, sitting down, jumps, kicks, climbing, picking up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.render.actions import action, grip, one, stance, stroll, sway
from training.render.skeleton import STAND, Array, Motion, Pose, Prop, keys


@action("walk")
def walk(rng: np.random.Generator, t: Array) -> Motion:
    return one(Pose(**stroll(t + rng.uniform(0, 1), speed=rng.uniform(0.8, 1.7))), t)


@action("run")
def run(rng: np.random.Generator, t: Array) -> Motion:
    fields = stroll(
        t + rng.uniform(0, 1),
        speed=rng.uniform(2.6, 5),
        lift=rng.uniform(0.28, 0.45),
        stride=rng.uniform(0.42, 0.6),
        bounce=0.07,
    )
    phase = np.asarray(fields["l_hand"][2])  # type: ignore[index]
    fields["l_hand"] = (0.22, -0.2 + 0.2 * phase, 0.12 + 0.55 * phase)
    fields["r_hand"] = (-0.22, -0.2 - 0.2 * phase, 0.12 - 0.55 * phase)
    return one(Pose(**fields), t)


@action("turn")
def turn(rng: np.random.Generator, t: Array) -> Motion:
    start, end = rng.uniform(0, 0.6), rng.uniform(1.0, 2.0)
    angle = keys(t, (start, 0.0), (end, rng.uniform(1.4, 3.6)))
    pose = Pose(**stance(rng, t))
    step = 0.07 * np.abs(np.sin(t * 7)) * (np.abs(np.gradient(angle)) > 0.004)
    pose.l_foot, pose.r_foot = (0.11, 0.08 + step, 0.0), (-0.11, 0.08 + step[::-1], 0.0)
    pose.head = np.stack([0 * t, 0.5 * np.gradient(angle) / max(t[1] - t[0], 1e-3) * 0.3, 0 * t], -1)
    pose.body = (0.0, angle, 0.0)
    return one(pose, t, framing="upper" if rng.random() < 0.4 else "body")


@action("sit")
def sit(rng: np.random.Generator, t: Array) -> Motion:
    return _chair(rng, t, rising=False)


@action("stand")
def stand(rng: np.random.Generator, t: Array) -> Motion:
    return _chair(rng, t, rising=True)


def _chair(rng: np.random.Generator, t: Array, *, rising: bool) -> Motion:
    begin, length, seat = rng.uniform(0, 0.5), rng.uniform(0.7, 1.4), rng.uniform(0.3, 0.55)
    up = keys(t, (begin, 0.0), (begin + length, 1.0))
    up = up if rising else 1 - up
    lean = 0.75 * np.sin(np.pi * up) + 0.05
    pose = Pose(pelvis=(0.0, seat + (STAND - 0.02 - seat) * up, -0.42 * (1 - up)), bend=(lean, 0.0, 0.0))
    pose.l_foot, pose.r_foot = (0.13, 0.08, 0.0), (-0.13, 0.08, 0.05)
    pose.l_hand = np.stack([0.2 + 0 * t, -0.5 + 0.06 * (1 - up), 0.1 + 0.22 * (1 - up)], -1)
    pose.r_hand = pose.l_hand * [-1, 1, 1]
    chair = _chair_props(seat, len(t)) if rng.random() < 0.7 else ()
    return one(pose, t, *chair)


def _chair_props(seat: float, frames: int) -> tuple[Prop, ...]:
    """A plain chair behind the person: seat, back and four legs."""

    def bar(a: tuple[float, float, float], b: tuple[float, float, float], radius: float) -> Prop:
        return Prop(np.tile(a, (frames, 1)), np.tile(b, (frames, 1)), radius, "wood")

    top = seat - 0.15
    bars = [bar((0.2, top, z), (-0.2, top, z), 0.05) for z in (-0.3, -0.4, -0.5)]
    bars += [bar((0.2, seat + y, -0.62), (-0.2, seat + y, -0.62), 0.035) for y in (0.22, 0.36)]
    for x in (0.2, -0.2):
        bars += [
            bar((x, 0.0, -0.28), (x, top, -0.28), 0.025),
            bar((x, 0.0, -0.56), (x, seat + 0.38, -0.62), 0.025),
        ]
    return tuple(bars)


@action("jump")
def jump(rng: np.random.Generator, t: Array) -> Motion:
    loop, high, far = rng.uniform(1.1, 1.6), rng.uniform(0.25, 0.6), rng.uniform(0, 1.8)
    moment = t + rng.uniform(0, 0.3)
    air = keys(
        moment, (0, 0.0), (0.4 * loop, 0.0), (0.58 * loop, 1.0), (0.78 * loop, 0.0), (loop, 0.0), loop=loop
    )
    crouch = keys(
        moment,
        (0, 0.0),
        (0.3 * loop, 1.0),
        (0.45 * loop, 0.0),
        (0.75 * loop, 0.0),
        (0.85 * loop, 0.8),
        (loop, 0.0),
        loop=loop,
    )
    arms = keys(moment, (0, 0.0), (0.3 * loop, -0.5), (0.5 * loop, 1.0), (loop, 0.0), loop=loop)
    tuck = rng.uniform(0, 0.35) * air
    pose = Pose(
        pelvis=(0.0, STAND - 0.02 - 0.32 * crouch + high * air, 0.0), bend=(0.7 * crouch + 0.1, 0.0, 0.0)
    )
    pose.l_foot, pose.r_foot = (
        (0.11, 0.08 + high * air + tuck, 0.12 * crouch),
        (-0.11, 0.08 + high * air + tuck, 0.12 * crouch),
    )
    pose.l_hand = np.stack([0.25 + 0 * t, -0.5 + 0.7 * np.clip(arms, 0, 1), 0.1 + 0.45 * arms], -1)
    pose.r_hand = pose.l_hand * [-1, 1, 1]
    pose.travel = (0.0, 0.0, far * keys(moment / loop, (0.4, 0.0), (0.8, 1.0)))
    return one(pose, t)


@action("kick")
def kick(rng: np.random.Generator, t: Array) -> Motion:
    return _kicking(rng, t, height=rng.uniform(0.6, 1.25), ball=False)


@action("kick_ball")
def kick_ball(rng: np.random.Generator, t: Array) -> Motion:
    return _kicking(rng, t, height=rng.uniform(0.25, 0.55), ball=True)


def _kicking(rng: np.random.Generator, t: Array, *, height: float, ball: bool) -> Motion:
    at = rng.uniform(0.5, 1.1)
    run_up = rng.uniform(0.6, 1.4) if ball else rng.uniform(0, 0.4)
    fields = stance(rng, t)
    pose = Pose(**fields)
    pose.r_foot = keys(
        t,
        (0, (-0.1, 0.08, -0.2)),
        (at - 0.3, (-0.12, 0.35, -0.55)),
        (at, (-0.06, height, 0.8)),
        (at + 0.2, (-0.06, height * 0.9, 0.6)),
        (at + 0.6, (-0.1, 0.08, 0.15)),
    )
    lean = keys(t, (0, 0.1), (at - 0.25, 0.15), (at, -0.3 - 0.25 * (height > 0.8)), (at + 0.6, 0.05))
    pose.bend = np.stack(
        [lean, keys(t, (0, 0.0), (at - 0.25, -0.4), (at + 0.1, 0.4), (at + 0.6, 0.0)), 0 * t], -1
    )
    pose.l_foot = (0.1, 0.08, 0.0)
    pose.l_hand = keys(
        t,
        (0, (0.25, -0.4, 0.1)),
        (at - 0.2, (0.5, -0.1, 0.2)),
        (at + 0.1, (0.3, -0.2, -0.2)),
        (at + 0.7, (0.25, -0.45, 0.1)),
    )
    pose.r_hand = keys(t, (0, (-0.25, -0.4, 0.1)), (at, (-0.5, -0.2, -0.1)), (at + 0.7, (-0.25, -0.45, 0.1)))
    pose.travel = (0.0, 0.0, run_up * keys(t, (0, -1.0), (at - 0.1, 0.0), (at + 1, 0.2)))
    props: tuple[Prop, ...] = ()
    if ball:
        flown = np.clip(t - at, 0, None)
        path = np.stack(
            [
                -0.08 + 0.5 * flown,
                0.11 + 2.5 * flown - 4.9 * flown**2 * (flown < 0.5),
                0.75 + rng.uniform(4, 9) * flown,
            ],
            -1,
        )
        path[:, 1] = np.maximum(path[:, 1], 0.11)
        props = (Prop(path, path, 0.11, "ball"),)
    return one(pose, t, *props)


@action("climb_stairs")
def climb_stairs(rng: np.random.Generator, t: Array) -> Motion:
    speed, down = rng.uniform(0.5, 1.0), rng.random() < 0.25
    fields = stroll(t + rng.uniform(0, 1), speed=speed, lift=0.26, stride=0.26)
    rise = t * speed * 0.62 * (-1 if down else 1)
    fields["travel"] = (0.0, rise, t * speed)
    tread, props = 0.29, []
    first = 0.62 * (-1 if down else 1)
    for k in range(-3, int(speed * t[-1] / tread) + 5):
        middle = np.array([0.0, first * (k * tread) - 0.1, k * tread + 0.1])
        left = np.tile(middle + [0.5, 0, 0], (len(t), 1))
        props.append(Prop(left, left - [1.0, 0, 0], 0.09, "wood"))
    return one(Pose(**fields), t, *props)


@action("climb")
def climb(rng: np.random.Generator, t: Array) -> Motion:
    speed, loop = rng.uniform(0.25, 0.6), rng.uniform(1.1, 1.9)
    reach = speed * loop / 2
    fields: dict[str, object] = {
        "pelvis": (0.06 * np.sin(t * 6.28 / loop), 0.9, -0.05),
        "bend": (0.1, 0.0, 0.0),
    }
    for side, sign, shift in (("l", 1, 0.0), ("r", -1, 0.5)):
        low, high = 0.05, 0.05 + 2 * reach
        wave = keys(t / loop + shift, (0, high), (0.7, low), (1, high), loop=1.0)
        fields[f"{side}_hand"] = (sign * 0.2, wave + 0.12, 0.38)
        fields[f"{side}_foot"] = (
            sign * 0.2,
            keys(t / loop + shift + 0.5, (0, 0.5), (0.7, 0.12), (1, 0.5), loop=1.0),
            0.25,
        )
    fields["travel"] = (0.0, t * speed, 0.0)
    fields["knees"] = (0.9, 0.2, 0.6)
    motion = one(Pose(**fields), t)
    if rng.random() < 0.5:
        rails = [
            Prop(np.tile([x, -1.0, 0.36], (len(t), 1)), np.tile([x, 5.0, 0.36], (len(t), 1)), 0.03, "wood")
            for x in (0.25, -0.25)
        ]
        rungs = [
            Prop(np.tile([0.25, y, 0.36], (len(t), 1)), np.tile([-0.25, y, 0.36], (len(t), 1)), 0.02, "wood")
            for y in np.arange(0, 4, 0.3)
        ]
        motion = replace(motion, props=(*rails, *rungs))
    return motion


@action("push")
def push(rng: np.random.Generator, t: Array) -> Motion:
    speed = rng.uniform(0.3, 0.9)
    fields = stroll(t, speed=speed, stride=0.26)
    fields["bend"] = (rng.uniform(0.3, 0.7), 0.0, 0.0)
    y = rng.uniform(-0.25, 0.0)
    fields["l_hand"], fields["r_hand"] = (0.2, y, 0.48), (-0.2, y, 0.48)
    motion = one(Pose(**fields), t)
    middle = (grip(motion, "l") + grip(motion, "r")) / 2 + [0, 0, 0.25]
    low = middle * [1, 0, 1] + [0, 0.25, 0.05]
    box = [
        Prop(at + [0.25, 0, 0], at - [0.25, 0, 0], 0.22, "wood")
        for at in (low, low + [0, 0.4, 0], middle + [0, -0.1, 0.02])
    ]
    return replace(motion, props=tuple(box))


@action("pick")
def pick(rng: np.random.Generator, t: Array) -> Motion:
    at, back = rng.uniform(0.5, 1.1), rng.uniform(0.5, 1.0)
    low = keys(t, (0, rng.uniform(0, 0.4)), (at, 1.0), (at + 0.2, 1.0), (at + 0.2 + back, 0.0))
    squat = rng.uniform(0.1, 0.45)
    pose = Pose(
        pelvis=(0.0, STAND - 0.03 - squat * low, -0.25 * low),
        bend=(rng.uniform(1.1, 1.7) * low + 0.05, 0.0, 0.0),
        l_foot=(0.13, 0.08, 0.05),
        r_foot=(-0.13, 0.08, -0.1),
    )
    pose.r_hand = np.stack([-0.15 + 0 * t, -0.48 + 0.05 * low, 0.1 + 0.25 * low], -1)
    if rng.random() < 0.4:
        pose.l_hand = pose.r_hand * [-1, 1, 1]
    motion = one(pose, t)
    hand = grip(motion, "r") + [0, -0.04, 0]
    taken = (t > at + 0.1)[:, None]
    spot = hand[int(np.argmin(np.abs(t - at - 0.1)))]
    thing = np.where(taken, hand, spot)
    return replace(motion, props=(Prop(thing, thing + [0.08, 0, 0], 0.05, "prop"),))


@action("wave")
def greet_with_both(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t))
    swing = rng.uniform(0.15, 0.3) * np.sin(t * rng.uniform(5, 9))
    pose.l_hand, pose.r_hand = (0.28 + swing, 0.42, 0.1), (-0.28 + swing, 0.42, 0.1)
    pose.bend = np.stack([0 * t, 0 * t, 0.1 * swing], -1) + sway(rng, t, 0.02)
    return one(pose, t)
