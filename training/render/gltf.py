"""Reads skeletal animations from binary glTF files: node tracks, forward kinematics, our eighteen joints.

Only what such files of animations use: translation and rotation tracks, no sparse accessors.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from training.render.retarget import retargeted
from training.render.skeleton import JOINTS, Array

_KINDS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}

_MIDDLE = ("pelvis", "chest", "neck", "head")
_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")


def _bones(middle: str, limbs: str, *, side: str) -> dict[str, str]:
    """Joints to the bones of one maker's skeletons.

    Args:
        middle: the bones of ``_MIDDLE``, with spaces between.
        limbs: likewise those of ``_LIMBS``.
        side: how a limb's bone is named on a side: ``{}`` is the bone, ``{l}`` or ``{L}`` the side's letter.
    """
    bones = dict(zip(_MIDDLE, middle.split(), strict=True))
    for letter in "lr":
        for joint, bone in zip(_LIMBS, limbs.split(), strict=True):
            bones[f"{letter}_{joint}"] = side.format(bone, l=letter, L=letter.upper())
    return bones


_MESH2MOTION = _bones(
    "DEF-hips DEF-spine.002 DEF-neck DEF-head",
    "upper_arm forearm hand thigh shin foot toe",
    side="DEF-{}.{L}",
)
_KAYKIT = _bones("hips spine head head", "upperarm lowerarm wrist upperleg lowerleg foot toes", side="{}.{l}")
_UE = _bones("pelvis spine_02 neck_01 head", "upperarm lowerarm hand thigh calf foot ball", side="{}_{l}")


class Library:
    """The animations of one file."""

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        if content[:4] != b"glTF":
            raise ValueError(f"{path} is no binary glTF file")
        length = struct.unpack("<I", content[12:16])[0]
        self._json: dict[str, Any] = json.loads(content[20 : 20 + length])
        self._binary = content[20 + length + 8 :]
        self._nodes = self._json["nodes"]
        self._parent = {child: n for n, node in enumerate(self._nodes) for child in node.get("children", ())}
        self._by_name = {node.get("name", ""): n for n, node in enumerate(self._nodes)}
        self._names = next(
            names for names in (_KAYKIT, _MESH2MOTION, _UE) if names["l_shoulder"] in self._by_name
        )

    @property
    def animations(self) -> tuple[str, ...]:
        """Names, without the rig's."""
        return tuple(animation["name"].split("|")[-1] for animation in self._json.get("animations", ()))

    def joints(self, animation: str, *, fps: float = 30.0) -> Array:
        """Our joints (T, 18, 3) of an animation, in metres, on the ground, with our proportions."""
        tracks = self._json["animations"][self.animations.index(animation)]
        sampled: dict[tuple[int, str], tuple[Array, Array]] = {}
        for channel in tracks["channels"]:
            if channel["target"]["path"] in ("translation", "rotation"):
                sampler = tracks["samplers"][channel["sampler"]]
                values = self._accessor(sampler["output"])
                times = self._accessor(sampler["input"])[:, 0]
                if sampler.get("interpolation") == "CUBICSPLINE":
                    values = values[1::3]
                sampled[channel["target"]["node"], channel["target"]["path"]] = times, values
        end = max(times[-1] for times, _ in sampled.values())
        t = np.arange(max(int(end * fps), 2)) / fps
        world: dict[int, tuple[Array, Array]] = {}
        paths = {name: self._world(n, t, sampled, world)[1] for name, n in self._by_name.items()}
        joints = np.stack([paths[self._names[joint]] for joint in JOINTS], axis=1)
        return retargeted(joints)

    def _world(
        self,
        node: int,
        t: Array,
        sampled: dict[tuple[int, str], tuple[Array, Array]],
        known: dict[int, tuple[Array, Array]],
    ) -> tuple[Array, Array]:
        """Rotation (T, 3, 3) and position (T, 3) of a node in the world."""
        if node not in known:
            at = self._nodes[node]
            rest_move, rest_turn = (
                np.array([at.get("translation", [0, 0, 0])]),
                np.array([at.get("rotation", [0, 0, 0, 1])]),
            )
            scale = float(np.mean(at.get("scale", [1])))
            move = _interpolated(t, *sampled.get((node, "translation"), (np.zeros(1), rest_move)))
            turn = (
                _matrices(_interpolated(t, *sampled.get((node, "rotation"), (np.zeros(1), rest_turn))))
                * scale
            )
            if node in self._parent:
                outer, origin = self._world(self._parent[node], t, sampled, known)
                move, turn = origin + np.einsum("tij,tj->ti", outer, move), outer @ turn
            known[node] = turn, move
        return known[node]

    def _accessor(self, number: int) -> Array:
        accessor = self._json["accessors"][number]
        view = self._json["bufferViews"][accessor["bufferView"]]
        kind, width = _KINDS[accessor["componentType"]], _WIDTHS[accessor["type"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        values = np.frombuffer(self._binary, dtype=kind, count=accessor["count"] * width, offset=start)
        return values.reshape(-1, width).astype(float)


def _interpolated(t: Array, times: Array, values: Array) -> Array:
    """Linear in every component; quaternions are put on one hemisphere first and made unit later."""
    if values.shape[1] == 4:
        signs = np.sign(np.sum(values[1:] * values[:-1], axis=1))
        values = values * np.concatenate([[1.0], np.cumprod(np.where(signs < 0, -1.0, 1.0))])[:, None]
    return np.stack([np.interp(t, times, values[:, k]) for k in range(values.shape[1])], axis=-1)


def _matrices(quaternions: Array) -> Array:
    x, y, z, w = np.moveaxis(quaternions / np.linalg.norm(quaternions, axis=-1, keepdims=True), -1, 0)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return np.stack(rows, axis=-1).reshape(-1, 3, 3)
