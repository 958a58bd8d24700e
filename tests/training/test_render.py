"""The renderer: the same clip from the same seed, poses that hold together, captures read right."""

from __future__ import annotations

import numpy as np
import pytest

from training.augment import Augment
from training.make_samples import SAMPLES, render
from training.render import bvh
from training.render.backdrop import built_scene
from training.render.figures import labels_with_motion, render_figure
from training.render.library import ACTIONS, written
from training.render.recorded import label_table, performed, takes
from training.render.retarget import retargeted
from training.render.silhouettes import composite
from training.render.skeleton import (
    FOREARM,
    INDEX,
    JOINTS,
    SHIN,
    THIGH,
    UPPER_ARM,
    Pose,
    keys,
    mirrored,
    solve,
)
from training.sources import DATA, hmdb51_labels

MOTION = DATA / "motion"
TEXTURES = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)

needs_footage = pytest.mark.skipif(not MOTION.is_dir(), reason="../shared/data is not there")

BVH = """HIERARCHY
ROOT hip
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT arm
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 5 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
1 2 3 0 0 0 0 0 0
1 2 3 90 0 0 90 0 0
"""


def test_a_seed_gives_the_same_clip_again_and_another_seed_another() -> None:
    def clip(seed: int) -> np.ndarray:
        return render_figure(
            "wave", np.random.default_rng(seed), takes={}, textures=TEXTURES, frames=4, size=32
        )

    first = clip(5)
    assert first.shape == (4, 32, 32, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, clip(5))
    assert not np.array_equal(first, clip(6))


@pytest.mark.parametrize("label", sorted(ACTIONS))
def test_written_movement_is_of_one_whole_body_that_moves(label: str) -> None:
    t = np.linspace(0, 2.2, 24)
    for seed in range(4):
        motion = written(label, np.random.default_rng(seed), t)
        for joints in motion.people:
            assert joints.shape == (24, len(JOINTS), 3)
            assert np.isfinite(joints).all()
            for a, b, length in (
                ("elbow", "wrist", FOREARM),
                ("shoulder", "elbow", UPPER_ARM),
                ("knee", "ankle", SHIN),
                ("hip", "knee", THIGH),
            ):
                for side in "lr":
                    bone = joints[:, INDEX[f"{side}_{a}"]] - joints[:, INDEX[f"{side}_{b}"]]
                    assert np.linalg.norm(bone, axis=-1) == pytest.approx(length, rel=0.02)
        moved = max(float(np.ptp(joints, axis=0).max()) for joints in motion.people)
        assert moved > 0.02


def test_every_label_has_movement_and_no_movement_has_another_label() -> None:
    labels = set(hmdb51_labels())
    assert set(ACTIONS) == labels
    table = label_table()
    assert {row["label"] for row in table["captures"] + table["animations"]} <= labels


def test_mirroring_swaps_the_hands() -> None:
    joints = solve(Pose(r_hand=(-0.3, 0.4, 0.2)), 1)
    other = mirrored(joints)
    assert other[0, INDEX["l_wrist"]] == pytest.approx(joints[0, INDEX["r_wrist"]] * [-1, 1, 1])
    assert mirrored(other) == pytest.approx(joints)


def test_keyframes_are_met_and_eased() -> None:
    assert keys(np.array([0.0, 1.0, 2.0, 5.0]), (0, 0.0), (1, 2.0), (2, 1.0)) == pytest.approx([0, 2, 1, 1])
    assert keys(np.array([0.25, 1.25]), (0, 0.0), (1, 1.0), loop=1.0) == pytest.approx([0.15625, 0.15625])


def test_bvh_forward_kinematics_turn_children_about_their_parents() -> None:
    paths = bvh.positions(bvh.parse(BVH))
    assert paths["hip"] == pytest.approx(np.array([[1, 2, 3], [1, 2, 3]]))
    assert paths["arm"] == pytest.approx(np.array([[11, 2, 3], [1, 12, 3]]))
    assert paths["arm_end"] == pytest.approx(np.array([[16, 2, 3], [-4, 12, 3]]))


def test_a_bvh_file_without_motion_is_refused() -> None:
    with pytest.raises(ValueError, match="no MOTION"):
        bvh.parse(BVH.partition("MOTION")[0])


def test_retargeting_keeps_directions_and_gives_our_lengths() -> None:
    joints = solve(Pose(l_hand=(0.4, 0.3, 0.2)), 3)
    ours = retargeted(joints * 37.0 + [100.0, 5.0, -20.0])
    bone = ours[:, INDEX["l_elbow"]] - ours[:, INDEX["l_shoulder"]]
    before = joints[:, INDEX["l_elbow"]] - joints[:, INDEX["l_shoulder"]]
    assert bone == pytest.approx(before, abs=1e-6)
    assert ours[0, INDEX["pelvis"], [0, 2]] == pytest.approx([0, 0])


def test_a_composite_has_the_person_and_the_ground_moving_apart() -> None:
    masks = np.zeros((20, 60, 80), np.uint8)
    for t in range(20):
        masks[t, 10:50, 10 + 2 * t : 30 + 2 * t] = 1
    clip = composite(masks, np.random.default_rng(3), textures=TEXTURES, frames=8, size=32)
    assert clip.shape == (8, 32, 32, 3)
    assert np.array_equal(
        clip, composite(masks, np.random.default_rng(3), textures=TEXTURES, frames=8, size=32)
    )
    assert clip.astype(int).std(axis=0).mean() > 1


def test_a_person_in_a_cluttered_place_is_another_clip_of_the_same_shape() -> None:
    masks = np.zeros((20, 60, 80), np.uint8)
    masks[:, 10:50, 30:50] = 1

    def clip(seed: int, *, scenes: float) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return composite(masks, rng, textures=TEXTURES, scenes=scenes, frames=8, size=32)

    for seed in range(12):
        cluttered = clip(seed, scenes=1.0)
        assert cluttered.shape == (8, 32, 32, 3)
        assert np.array_equal(cluttered, clip(seed, scenes=1.0))
        assert not np.array_equal(cluttered, clip(seed, scenes=0.0))


def test_a_cluttered_place_has_edges_and_half_of_them_stand_still() -> None:
    still = 0
    for seed in range(12):
        scene = built_scene(np.random.default_rng(seed), TEXTURES, frames=5, size=32)
        assert scene.shape == (5, 32, 32, 3)
        assert scene.min() >= 0
        assert scene.max() <= 1
        assert np.abs(np.diff(scene[0], axis=1)).max() > 0.02
        still += bool(np.abs(scene[0] - scene[-1]).max() < 1e-6)
    assert 0 < still < 12


def test_strong_variation_keeps_a_clip_one_clip() -> None:
    rng = np.random.default_rng(1)
    still = np.repeat(rng.integers(0, 256, (6, 1, 48, 48, 3), dtype=np.uint8), 4, axis=1)
    varied = Augment(32, strong=True)(still, np.random.default_rng(2))
    assert varied.shape == (6, 4, 32, 32, 3)
    assert varied.dtype == np.uint8
    assert np.array_equal(varied, np.repeat(varied[:, :1], 4, axis=1))
    assert np.array_equal(varied, Augment(32, strong=True)(still, np.random.default_rng(2)))
    assert not np.array_equal(varied, Augment(32, strong=True)(still, np.random.default_rng(3)))


@needs_footage
def test_a_capture_of_a_walk_stands_on_the_ground_and_goes_somewhere() -> None:
    joints, fps = bvh.load(MOTION / "cmu_bvh_30fps" / "07_01.bvh")
    assert fps == pytest.approx(30, abs=0.1)
    assert joints[:, INDEX["head"], 1].mean() == pytest.approx(1.65, abs=0.2)
    assert abs(joints[:, INDEX["l_toe"], 1].min()) < 0.15
    assert np.linalg.norm(joints[-1, INDEX["pelvis"]] - joints[0, INDEX["pelvis"]]) > 1


@needs_footage
def test_takes_of_the_table_can_all_be_performed() -> None:
    found = takes(MOTION)
    assert set(found) <= set(labels_with_motion(found)) == set(hmdb51_labels())
    for label, own in found.items():
        motion = performed(own[-1], np.random.default_rng(0), label=label, frames=6, seconds=1.5)
        assert motion.people[0].shape == (6, len(JOINTS), 3)
        assert np.isfinite(motion.people[0]).all()
        assert 0.8 < np.ptp(motion.people[0], axis=1).max() < 3


def test_samples_are_small_pictures_of_somebody_moving() -> None:
    sample = next(sample for sample in SAMPLES if sample.label == "kick")
    pictures = render(sample, height=48, width=64)
    assert len(pictures) == round(sample.seconds * sample.fps)
    assert pictures[0].shape == (48, 64, 3)
    assert np.stack(pictures[::8]).astype(int).std(axis=0).max() > 20
