"""Written movement of the whole body: gaits, falls, turns, gymnastics, riding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.render.actions import action, grip, joint, one, stance, stroll, sway
from training.render.skeleton import STAND, Array, Motion, Pose, Prop, keys


@action("walk")
def walk(rng: np.random.Generator, t: Array) -> Motion:
    return one(Pose(**stroll(t + rng.uniform(0, 1), speed=rng.uniform(0.8, 1.7))), t)


@action("run")
def run(rng: np.random.Generator, t: Array) -> Motion:
    fields = stroll(t + rng.uniform(0, 1), speed=rng.uniform(2.6, 5), lift=rng.uniform(0.28, 0.45), stride=rng.uniform(0.42, 0.6), bounce=0.07)
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
        bars += [bar((x, 0.0, -0.28), (x, top, -0.28), 0.025), bar((x, 0.0, -0.56), (x, seat + 0.38, -0.62), 0.025)]
    return tuple(bars)


@action("jump")
def jump(rng: np.random.Generator, t: Array) -> Motion:
    loop, high, far = rng.uniform(1.1, 1.6), rng.uniform(0.25, 0.6), rng.uniform(0, 1.8)
    moment = t + rng.uniform(0, 0.3)
    air = keys(moment, (0, 0.0), (0.4 * loop, 0.0), (0.58 * loop, 1.0), (0.78 * loop, 0.0), (loop, 0.0), loop=loop)
    crouch = keys(moment, (0, 0.0), (0.3 * loop, 1.0), (0.45 * loop, 0.0), (0.75 * loop, 0.0), (0.85 * loop, 0.8), (loop, 0.0), loop=loop)
    arms = keys(moment, (0, 0.0), (0.3 * loop, -0.5), (0.5 * loop, 1.0), (loop, 0.0), loop=loop)
    tuck = rng.uniform(0, 0.35) * air
    pose = Pose(pelvis=(0.0, STAND - 0.02 - 0.32 * crouch + high * air, 0.0), bend=(0.7 * crouch + 0.1, 0.0, 0.0))
    pose.l_foot, pose.r_foot = (0.11, 0.08 + high * air + tuck, 0.12 * crouch), (-0.11, 0.08 + high * air + tuck, 0.12 * crouch)
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
    pose.r_foot = keys(t, (0, (-0.1, 0.08, -0.2)), (at - 0.3, (-0.12, 0.35, -0.55)), (at, (-0.06, height, 0.8)), (at + 0.2, (-0.06, height * 0.9, 0.6)), (at + 0.6, (-0.1, 0.08, 0.15)))
    lean = keys(t, (0, 0.1), (at - 0.25, 0.15), (at, -0.3 - 0.25 * (height > 0.8)), (at + 0.6, 0.05))
    pose.bend = np.stack([lean, keys(t, (0, 0.0), (at - 0.25, -0.4), (at + 0.1, 0.4), (at + 0.6, 0.0)), 0 * t], -1)
    pose.l_foot = (0.1, 0.08, 0.0)
    pose.l_hand = keys(t, (0, (0.25, -0.4, 0.1)), (at - 0.2, (0.5, -0.1, 0.2)), (at + 0.1, (0.3, -0.2, -0.2)), (at + 0.7, (0.25, -0.45, 0.1)))
    pose.r_hand = keys(t, (0, (-0.25, -0.4, 0.1)), (at, (-0.5, -0.2, -0.1)), (at + 0.7, (-0.25, -0.45, 0.1)))
    pose.travel = (0.0, 0.0, run_up * keys(t, (0, -1.0), (at - 0.1, 0.0), (at + 1, 0.2)))
    props: tuple[Prop, ...] = ()
    if ball:
        flown = np.clip(t - at, 0, None)
        path = np.stack([-0.08 + 0.5 * flown, 0.11 + 2.5 * flown - 4.9 * flown**2 * (flown < 0.5), 0.75 + rng.uniform(4, 9) * flown], -1)
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
    fields: dict[str, object] = {"pelvis": (0.06 * np.sin(t * 6.28 / loop), 0.9, -0.05), "bend": (0.1, 0.0, 0.0)}
    for side, sign, shift in (("l", 1, 0.0), ("r", -1, 0.5)):
        low, high = 0.05, 0.05 + 2 * reach
        wave = keys(t / loop + shift, (0, high), (0.7, low), (1, high), loop=1.0)
        fields[f"{side}_hand"] = (sign * 0.2, wave + 0.12, 0.38)
        fields[f"{side}_foot"] = (sign * 0.2, keys(t / loop + shift + 0.5, (0, 0.5), (0.7, 0.12), (1, 0.5), loop=1.0), 0.25)
    fields["travel"] = (0.0, t * speed, 0.0)
    fields["knees"] = (0.9, 0.2, 0.6)
    motion = one(Pose(**fields), t)
    if rng.random() < 0.5:
        rails = [Prop(np.tile([x, -1.0, 0.36], (len(t), 1)), np.tile([x, 5.0, 0.36], (len(t), 1)), 0.03, "wood") for x in (0.25, -0.25)]
        rungs = [Prop(np.tile([0.25, y, 0.36], (len(t), 1)), np.tile([-0.25, y, 0.36], (len(t), 1)), 0.02, "wood") for y in np.arange(0, 4, 0.3)]
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
    box = [Prop(at + [0.25, 0, 0], at - [0.25, 0, 0], 0.22, "wood") for at in (low, low + [0, 0.4, 0], middle + [0, -0.1, 0.02])]
    return replace(motion, props=tuple(box))


@action("pullup")
def pullup(rng: np.random.Generator, t: Array) -> Motion:
    loop, bar = rng.uniform(1.2, 2.4), 2.2
    up = 0.5 - 0.5 * np.cos((t + rng.uniform(0, loop)) * 6.28 / loop)
    wide = rng.uniform(0.2, 0.38)
    neck = bar - 0.52 + 0.47 * up
    pelvis = neck - 0.46
    legs = rng.uniform(0.05, 0.35)
    pose = Pose(pelvis=(0.0, pelvis, -0.08 + 0.03 * np.sin(t * 3)), l_hand=(wide, bar - neck, 0.06), r_hand=(-wide, bar - neck, 0.06))
    pose.l_foot, pose.r_foot = (0.1, pelvis - 0.84 + legs, -legs * 0.9), (-0.1, pelvis - 0.84 + legs, -legs * 0.9)
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
    pose = Pose(pelvis=(0.0, 0.13, 0.0), bend=(-1.5 + rng.uniform(1.5, 2.1) * up, 0.0, 0.0), head=(0.3, 0.0, 0.0))
    pose.l_foot, pose.r_foot = (0.12, 0.08, 0.5), (-0.12, 0.08, 0.5)
    pose.l_hand, pose.r_hand = ((0.13, 0.14, -0.02), (-0.13, 0.14, -0.02)) if rng.random() < 0.6 else ((0.1, -0.2, 0.14), (-0.1, -0.15, 0.14))
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
    pose.l_foot, pose.r_foot = (0.12 + 0.45 * inside, 0.08 + 0.12 * inside, 0.0), (-0.12 - 0.45 * inside, 0.08 + 0.12 * inside, 0.0)
    pose.body = (0.0, 0.0, angle)
    pose.travel = (-1.9 * angle / (2 * np.pi), -0.02 + 0.12 * inside, 0.0)
    return one(pose, t)


@action("flic_flac")
def flic_flac(rng: np.random.Generator, t: Array) -> Motion:
    loop, begin = rng.uniform(0.75, 1.1), rng.uniform(0, 0.4)
    turns = keys(t, (begin, 0.0), (begin + loop, 1.0), (begin + 2 * loop, 2.0))
    angle, inside = -2 * np.pi * turns, np.abs(np.sin(np.pi * turns))
    pose = Pose(bend=(-0.5 * inside, 0.0, 0.0), l_hand=(0.2, 0.5, 0.05), r_hand=(-0.2, 0.5, 0.05), elbows=(1, 0, 0.5))
    pose.l_foot, pose.r_foot = (0.1, 0.1 + 0.15 * inside, -0.3 * inside), (-0.1, 0.1 + 0.15 * inside, -0.25 * inside)
    pose.body, pose.travel = (angle, 0.0, 0.0), (0.0, 0.1 * inside, -1.7 * turns)
    return one(pose, t)


@action("somersault")
def somersault(rng: np.random.Generator, t: Array) -> Motion:
    begin, length = rng.uniform(0, 0.5), rng.uniform(0.7, 1.2)
    turns = keys(t, (begin, 0.0), (begin + length, 1.0))
    tuck = keys(t, (max(begin - 0.3, 0), 0.0), (begin + 0.2, 1.0), (begin + length - 0.1, 1.0), (begin + length + 0.3, 0.0))
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
    pose = Pose(bend=(0.5 * np.sin(np.pi * u), 0.0, 0.0), l_foot=(0.07, 0.06, 0.0), r_foot=(-0.07, 0.06, 0.0), toes=(0, -1, 0.3))
    pose.l_hand = np.stack([0.2 - 0.12 * np.clip(arms, 0, 1), -0.45 + 0.95 * np.clip(arms, 0, 1), 0.2 * np.cos(arms)], -1)
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
        setattr(pose, f"{side}_hand", (sign * (0.25 + 0.3 * u), -0.45 + 0.45 * u, 0.1 + 0.3 * np.sin(np.pi * u)))
    pose.body = (1.5 * u * way, 0.0, sideways * u)
    pose.travel = (0.0, -(STAND - 0.14) * u, 0.7 * way * u)
    return one(pose, t)


@action("pick")
def pick(rng: np.random.Generator, t: Array) -> Motion:
    at, back = rng.uniform(0.5, 1.1), rng.uniform(0.5, 1.0)
    low = keys(t, (0, rng.uniform(0, 0.4)), (at, 1.0), (at + 0.2, 1.0), (at + 0.2 + back, 0.0))
    squat = rng.uniform(0.1, 0.45)
    pose = Pose(pelvis=(0.0, STAND - 0.03 - squat * low, -0.25 * low), bend=(rng.uniform(1.1, 1.7) * low + 0.05, 0.0, 0.0), l_foot=(0.13, 0.08, 0.05), r_foot=(-0.13, 0.08, -0.1))
    pose.r_hand = np.stack([-0.15 + 0 * t, -0.48 + 0.05 * low, 0.1 + 0.25 * low], -1)
    if rng.random() < 0.4:
        pose.l_hand = pose.r_hand * [-1, 1, 1]
    motion = one(pose, t)
    hand = grip(motion, "r") + [0, -0.04, 0]
    taken = (t > at + 0.1)[:, None]
    spot = hand[int(np.argmin(np.abs(t - at - 0.1)))]
    thing = np.where(taken, hand, spot)
    return replace(motion, props=(Prop(thing, thing + [0.08, 0, 0], 0.05, "prop"),))


@action("ride_bike")
def ride_bike(rng: np.random.Generator, t: Array) -> Motion:
    speed, rate = rng.uniform(1.5, 4), rng.uniform(5, 9)
    fields: dict[str, object] = {"pelvis": (0.0, 0.98, -0.1), "bend": (rng.uniform(0.3, 0.75), 0.0, 0.03 * np.sin(t * rate))}
    for side, sign, shift in (("l", 1, 0.0), ("r", -1, np.pi)):
        fields[f"{side}_foot"] = (0.1 * sign, 0.33 + 0.17 * np.cos(t * rate + shift), 0.12 + 0.17 * np.sin(t * rate + shift))
        fields[f"{side}_hand"] = (0.2 * sign, -0.2, 0.47)
    fields["travel"] = (0.0, 0.0, t * speed)
    fields["head"] = (-0.35, 0.0, 0.0)
    motion = one(Pose(**fields), t)
    base = np.stack([0 * t, 0 * t, t * speed], -1)
    spin, parts = t * speed / 0.33, []
    for hub in ([0, 0.34, -0.45], [0, 0.34, 0.62]):
        rim = [base + hub + 0.32 * np.stack([0 * t, np.sin(a + spin), np.cos(a + spin)], -1) for a in np.arange(12) * np.pi / 6]
        parts += [Prop(rim[k], rim[(k + 1) % 12], 0.022, "metal") for k in range(12)]
    points = [base + p for p in ([0, 0.34, -0.45], [0, 0.9, -0.15], [0, 0.34, 0.12], [0, 0.85, 0.45], [0, 0.34, 0.62])]
    for a, b in ((0, 1), (1, 2), (2, 0), (1, 3), (2, 3), (3, 4)):
        parts.append(Prop(points[a], points[b], 0.022, "prop"))
    return replace(motion, props=tuple(parts))


@action("ride_horse")
def ride_horse(rng: np.random.Generator, t: Array) -> Motion:
    speed, rate = rng.uniform(1.5, 6), rng.uniform(7, 14)
    bounce = 0.07 * np.sin(t * rate)
    fields: dict[str, object] = {"pelvis": (0.0, 1.62 + bounce, 0.0), "bend": (0.15 + 0.1 * np.sin(t * rate + 1), 0.0, 0.0)}
    for side, sign in (("l", 1), ("r", -1)):
        fields[f"{side}_foot"] = (0.34 * sign, 0.95 + 0.8 * bounce, 0.15)
        fields[f"{side}_hand"] = (0.1 * sign, -0.28, 0.36)
    fields["travel"] = (0.0, 0.0, t * speed)
    fields["knees"] = (0.8, 0.3, 1.0)
    motion = one(Pose(**fields), t)
    base = np.stack([0 * t, 0.7 * bounce, t * speed], -1)
    pitch = 0.06 * np.cos(t * rate)
    rump = base + np.stack([0 * t, 1.25 - pitch, -0.55 + 0 * t], -1)
    breast = base + np.stack([0 * t, 1.27 + pitch, 0.5 + 0 * t], -1)
    poll = breast + np.stack([0 * t, 0.62 + pitch, 0.45 + 0 * t], -1)
    parts = [Prop(rump, breast, 0.28, "horse"), Prop(breast + [0, 0.1, 0.1], poll, 0.14, "horse")]
    parts += [Prop(poll, poll + [0, -0.25, 0.32], 0.1, "horse"), Prop(rump + [0, 0, -0.2], rump + [0, -0.6, -0.45], 0.05, "hair")]
    for k, (root, x) in enumerate(((breast, 0.14), (breast, -0.14), (rump, 0.14), (rump, -0.14))):
        phase = t * rate + (0, 0.6, 2.6, 3.2)[k]
        knee = root + np.stack([x + 0 * t, -0.5 + 0 * t, 0.28 * np.sin(phase)], -1)
        hoof = knee + np.stack([0 * t, -0.52 + 0.18 * np.clip(np.cos(phase), 0, 1), -0.1 + 0.3 * np.sin(phase - 0.7)], -1)
        parts += [Prop(root + [x, -0.1, 0], knee, 0.085, "horse"), Prop(knee, hoof, 0.05, "horse")]
    return replace(motion, props=tuple(parts))


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


@action("wave")
def greet_with_both(rng: np.random.Generator, t: Array) -> Motion:
    pose = Pose(**stance(rng, t))
    swing = rng.uniform(0.15, 0.3) * np.sin(t * rng.uniform(5, 9))
    pose.l_hand, pose.r_hand = (0.28 + swing, 0.42, 0.1), (-0.28 + swing, 0.42, 0.1)
    pose.bend = np.stack([0 * t, 0 * t, 0.1 * swing], -1) + sway(rng, t, 0.02)
    return one(pose, t)
