"""What a trunk has seen once is not decoded again: the head alone answers, with the very same numbers."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.engine.conftest import LABELS, wanted
from vidlabel.core.messages import ClipScores, WantedClip
from vidlabel.core.vectors import packed, unpacked
from vidlabel.engine.suggester import suggest_clips
from vidlabel.ml.modelfile import ModelInfo, load_model, save_model
from vidlabel.ml.trunk import trunk_of


def scored(model: ModelInfo, clips: list[WantedClip], *, batch: int = 2) -> dict[int, ClipScores]:
    answers = suggest_clips(model, clips, device="cpu", batch=batch, top_k=10)
    return {answer.clip_id: answer for answer in answers if isinstance(answer, ClipScores)}


def nowhere(clip: WantedClip, embedding: str) -> WantedClip:
    return replace(clip, path=str(Path(clip.path).with_name("gone.mp4")), embedding=embedding)


def numbers(answers: dict[int, ClipScores]) -> dict[int, object]:
    return {
        number: (one.labels, one.probabilities, one.margin, one.entropy) for number, one in answers.items()
    }


def test_known_clips_get_identical_numbers_without_their_video(
    model: ModelInfo, films: tuple[Path, ...]
) -> None:
    clips = [wanted(path, number) for number, path in enumerate(films)]
    first = scored(model, clips)
    assert all(unpacked(answer.embedding).dtype == np.float16 for answer in first.values())
    again = scored(model, [nowhere(clip, first[clip.clip_id].embedding) for clip in clips], batch=3)
    assert numbers(again) == numbers(first)
    assert {answer.embedding for answer in again.values()} == {""}, "what was known is not told again"


def test_known_and_new_clips_mix(model: ModelInfo, films: tuple[Path, ...]) -> None:
    clips = [wanted(path, number) for number, path in enumerate(films)]
    first = scored(model, clips, batch=1)
    mixed = [nowhere(clip, first[clip.clip_id].embedding) if clip.clip_id % 2 else clip for clip in clips]
    assert numbers(scored(model, mixed, batch=1)) == numbers(first)


def test_an_embedding_of_another_size_is_passed_over(
    model: ModelInfo, films: tuple[Path, ...], caplog: pytest.LogCaptureFixture
) -> None:
    clips = [wanted(path, number) for number, path in enumerate(films[:3])]
    odd = [replace(clip, embedding=packed(np.zeros(3, np.float16))) for clip in clips[:2]]
    with caplog.at_level(logging.WARNING):
        assert numbers(scored(model, [*odd, clips[2]])) == numbers(scored(model, clips))
    assert "embedding of clip 0" in caplog.text


def test_a_model_with_another_head_has_the_same_trunk(model: ModelInfo, tmp_path: Path) -> None:
    loaded = load_model(model.path)
    about = {
        "network": model.network,
        "labels": LABELS,
        "preprocessing": model.preprocessing,
        "network_args": model.network_args,
    }
    trunk = trunk_of(model)
    assert len(trunk) == 64
    with torch.no_grad():
        loaded.module.head.weight.add_(1.0)
    other_head = save_model(tmp_path / "head.safetensors", loaded.module, name="other head", **about)
    assert other_head.hash != model.hash
    assert trunk_of(other_head) == trunk
    fewer = replace(model.preprocessing, frames=model.preprocessing.frames + 1)
    other_eyes = save_model(
        tmp_path / "eyes.safetensors", loaded.module, name="eyes", **(about | {"preprocessing": fewer})
    )
    assert trunk_of(other_eyes) != trunk
    assert trunk_of(model, precision="bfloat16") != trunk
    with torch.no_grad():
        next(parameter for name, parameter in loaded.module.named_parameters() if "head" not in name).add_(
            0.1
        )
    other_trunk = save_model(tmp_path / "trunk.safetensors", loaded.module, name="other trunk", **about)
    assert trunk_of(other_trunk) != trunk


def test_the_type_weights_are_stored_in_does_not_count(model: ModelInfo, tmp_path: Path) -> None:
    about = {"network": model.network, "labels": LABELS, "preprocessing": model.preprocessing,
             "network_args": model.network_args}  # fmt: skip
    half = save_model(
        tmp_path / "half.safetensors", load_model(model.path).module, name="half", weights="float16", **about
    )
    whole = save_model(tmp_path / "whole.safetensors", load_model(half.path).module, name="whole", **about)
    assert half.hash != whole.hash
    assert trunk_of(half) == trunk_of(whole)
    os.utime(half.path, ns=(1, 1))
    assert trunk_of(half) == trunk_of(whole)
