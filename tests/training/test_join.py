"""Joining the streams: published weights folded right, and corrections that are measured without leaks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import ResNet18_Weights

from training.residual import STRENGTHS, Choice, Clips, chosen, correction, logits_left_out
from training.sources import hmdb51_labels
from training.stills import TABLE, groups, published_weights, stills_with
from vidlabel.ml.networks.stills import _STAGES, FEATURES


def _published() -> dict[str, torch.Tensor]:
    """Random weights under the names and in the order of the published file."""
    generator = torch.Generator().manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def convolution(name: str, *shape: int) -> None:
        fan = float(np.prod(shape[1:]))
        state[f"{name}.weight"] = torch.randn(*shape, generator=generator) / fan**0.5

    def norm(name: str, channels: int) -> None:
        state[f"{name}.weight"] = torch.rand(channels, generator=generator) + 0.5
        state[f"{name}.bias"] = torch.rand(channels, generator=generator) * 0.2
        state[f"{name}.running_mean"] = torch.randn(channels, generator=generator) * 0.1
        state[f"{name}.running_var"] = torch.rand(channels, generator=generator) + 0.5
        state[f"{name}.num_batches_tracked"] = torch.tensor(1)

    convolution("_conv_stem", 32, 3, 3, 3)
    norm("_bn0", 32)
    inputs, block = 32, 0
    for widening, kernel, _stride, outputs, count in _STAGES:
        for _ in range(count):
            name, wide = f"_blocks.{block}", inputs * widening
            if widening > 1:
                convolution(f"{name}._expand_conv", wide, inputs, 1, 1)
                norm(f"{name}._bn0", wide)
            convolution(f"{name}._depthwise_conv", wide, 1, kernel, kernel)
            norm(f"{name}._bn1", wide)
            convolution(f"{name}._project_conv", outputs, wide, 1, 1)
            norm(f"{name}._bn2", outputs)
            inputs, block = outputs, block + 1
    convolution("_conv_head", FEATURES, inputs, 1, 1)
    norm("_bn1", FEATURES)
    state["_fc.weight"] = torch.randn(1000, FEATURES, generator=generator) * 0.01
    state["_fc.bias"] = torch.zeros(1000)
    return state


def _as_published(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The features as the published layout computes them: convolution, batch norm, ReLU6, one after the other."""

    def step(x: torch.Tensor, conv: str, norm: str, *, stride: int = 1, groups: int = 1) -> torch.Tensor:
        weight = state[f"{conv}.weight"]
        kernel = weight.shape[-1]
        pad = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)
        x = functional.pad(x, (pad // 2, pad - pad // 2) * 2)
        x = functional.conv2d(x, weight, stride=stride, groups=groups)
        values = [state[f"{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
        return functional.batch_norm(x, *values, eps=1e-3)

    x = functional.relu6(step(x, "_conv_stem", "_bn0", stride=2))
    block = 0
    for widening, _kernel, stride, _outputs, count in _STAGES:
        for number in range(count):
            before, name = x, f"_blocks.{block}"
            if widening > 1:
                x = functional.relu6(step(x, f"{name}._expand_conv", f"{name}._bn0"))
            x = step(
                x, f"{name}._depthwise_conv", f"{name}._bn1",
                stride=stride if number == 0 else 1, groups=x.shape[1],
            )  # fmt: skip
            x = step(functional.relu6(x), f"{name}._project_conv", f"{name}._bn2")
            x = x + before if x.shape == before.shape and not (number == 0 and stride > 1) else x
            block += 1
    return functional.relu6(step(x, "_conv_head", "_bn1")).mean(dim=(2, 3))


def test_folded_weights_answer_as_the_published_ones(tmp_path: Path) -> None:
    state = _published()
    file = tmp_path / "weights.pth"
    torch.save(state, file)
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.inference_mode():
        features, logits = stills_with(file)(x)
        wanted = _as_published(state, x)
    torch.testing.assert_close(features, wanted, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        logits, nn.functional.linear(wanted, state["_fc.weight"]), rtol=1e-3, atol=1e-3
    )


def test_another_file_is_not_taken_for_the_weights(tmp_path: Path) -> None:
    file = tmp_path / "efficientnet-lite0-57934424.pth"
    file.write_bytes(b"something else")
    with pytest.raises(ValueError, match="another file"):
        published_weights(file)


def test_the_written_table_names_real_classes_and_labels_and_is_complete() -> None:
    written = json.loads(TABLE.read_text("utf-8"))
    categories = set(ResNet18_Weights.DEFAULT.meta["categories"])
    for label, entry in written["labels"].items():
        assert entry["classes"] and set(entry["classes"]) <= categories, label
    assert sorted([*written["labels"], *written["without"]]) == sorted(hmdb51_labels())
    assert len(groups()) == len(written["labels"])


def _few_clips(films: int, each: int) -> tuple[Clips, torch.Tensor, np.ndarray]:
    """Clips whose features tell their film and nothing of their label."""
    generator = torch.Generator().manual_seed(1)
    of_film = torch.nn.functional.normalize(torch.randn(films, 64, generator=generator), dim=1)
    numbers = np.repeat(np.arange(films), each)
    truth = torch.from_numpy(numbers % 4)
    count = len(numbers)
    clips = Clips(torch.zeros(count, 6), torch.zeros(count, 6), of_film[torch.from_numpy(numbers)])
    return clips, truth, numbers


def test_what_only_tells_the_film_apart_earns_nothing() -> None:
    clips, truth, films = _few_clips(films=16, each=4)
    choice, nothing = Choice(1.0, 1e-4), torch.zeros(1, 64)
    by_film = logits_left_out(clips, truth, films, nothing=nothing, choices=[choice] * 16)
    parted = logits_left_out(clips, truth, np.arange(64) % 4, nothing=nothing, choices=[choice] * 16)
    assert (parted.argmax(dim=1) == truth).float().mean() > 0.9
    assert (by_film.argmax(dim=1) == truth).float().mean() < 0.5


def test_a_correction_leaves_labels_without_clips_alone_and_favours_none() -> None:
    clips, truth, films = _few_clips(films=8, each=2)
    weights = correction(clips, truth, torch.zeros(1, 64), choice=Choice(1.0, 1e-3))
    assert weights.shape == (64, 6)
    assert not weights[:, 4:].any()
    torch.testing.assert_close(weights.sum(dim=1), torch.zeros(64), rtol=0, atol=1e-5)
    assert chosen(clips, truth, films, nothing=torch.zeros(1, 64)).strength == max(STRENGTHS)
