"""Written movement of riders, with what they ride."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.render.actions import action, one
from training.render.skeleton import Array, Motion, Pose, Prop


@action("ride_bike")
def ride_bike(rng: np.random.Generator, t: Array) -> Motion:
    speed, rate = rng.uniform(1.5, 4), rng.uniform(5, 9)
    fields: dict[str, object] = {
        "pelvis": (0.0, 0.98, -0.1),
        "bend": (rng.uniform(0.3, 0.75), 0.0, 0.03 * np.sin(t * rate)),
    }
    for side, sign, shift in (("l", 1, 0.0), ("r", -1, np.pi)):
        fields[f"{side}_foot"] = (
            0.1 * sign,
            0.33 + 0.17 * np.cos(t * rate + shift),
            0.12 + 0.17 * np.sin(t * rate + shift),
        )
        fields[f"{side}_hand"] = (0.2 * sign, -0.2, 0.47)
    fields["travel"] = (0.0, 0.0, t * speed)
    fields["head"] = (-0.35, 0.0, 0.0)
    motion = one(Pose(**fields), t)
    base = np.stack([0 * t, 0 * t, t * speed], -1)
    spin, parts = t * speed / 0.33, []
    for hub in ([0, 0.34, -0.45], [0, 0.34, 0.62]):
        rim = [
            base + hub + 0.32 * np.stack([0 * t, np.sin(a + spin), np.cos(a + spin)], -1)
            for a in np.arange(12) * np.pi / 6
        ]
        parts += [Prop(rim[k], rim[(k + 1) % 12], 0.022, "metal") for k in range(12)]
    points = [
        base + p
        for p in ([0, 0.34, -0.45], [0, 0.9, -0.15], [0, 0.34, 0.12], [0, 0.85, 0.45], [0, 0.34, 0.62])
    ]
    for a, b in ((0, 1), (1, 2), (2, 0), (1, 3), (2, 3), (3, 4)):
        parts.append(Prop(points[a], points[b], 0.022, "prop"))
    return replace(motion, props=tuple(parts))


@action("ride_horse")
def ride_horse(rng: np.random.Generator, t: Array) -> Motion:
    speed, rate = rng.uniform(1.5, 6), rng.uniform(7, 14)
    bounce = 0.07 * np.sin(t * rate)
    fields: dict[str, object] = {
        "pelvis": (0.0, 1.62 + bounce, 0.0),
        "bend": (0.15 + 0.1 * np.sin(t * rate + 1), 0.0, 0.0),
    }
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
    parts += [
        Prop(poll, poll + [0, -0.25, 0.32], 0.1, "horse"),
        Prop(rump + [0, 0, -0.2], rump + [0, -0.6, -0.45], 0.05, "hair"),
    ]
    for k, (root, x) in enumerate(((breast, 0.14), (breast, -0.14), (rump, 0.14), (rump, -0.14))):
        phase = t * rate + (0, 0.6, 2.6, 3.2)[k]
        knee = root + np.stack([x + 0 * t, -0.5 + 0 * t, 0.28 * np.sin(phase)], -1)
        hoof = knee + np.stack(
            [0 * t, -0.52 + 0.18 * np.clip(np.cos(phase), 0, 1), -0.1 + 0.3 * np.sin(phase - 0.7)], -1
        )
        parts += [Prop(root + [x, -0.1, 0], knee, 0.085, "horse"), Prop(knee, hoof, 0.05, "horse")]
    return replace(motion, props=tuple(parts))
