"""Runs a model over batches of clips, and gives way when the device's memory does not suffice."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vidlabel.core.errors import DeviceError, ModelError
from vidlabel.ml.devices import Device, free_memory, is_out_of_memory, quickest, synchronise
from vidlabel.ml.input import to_input
from vidlabel.ml.modelfile import LoadedModel, ModelInfo
from vidlabel.ml.networks import Embedder

# A larger batch makes the person wait longer for its first clip: it must be worth that much.
_WORTH_A_LARGER_BATCH = 1.05


@dataclass(frozen=True)
class Prediction:
    """What a model says of B clips.

    Attributes:
        probabilities: float32 (B, L), each row adds up to 1, in the order of the model's labels.
        embeddings: float16 (B, D).
    """

    probabilities: NDArray[np.float32]
    embeddings: NDArray[np.float16]


class Predictor:
    """One model on one device.

    It computes in float32 throughout (on a GPU without TF32), so that a clip gets the same probabilities, to
    float32 tolerance, on every device and in every batch. Not safe to be used by several threads at a time.

    Args:
        loaded: left as it is; the predictor works on a copy.
        device: from ``choose_device``.
        threads: processor threads to use, 1 or more; None leaves torch's own choice. Holds for the process.

    Raises:
        DeviceError: the model does not fit into the device's memory.
    """

    def __init__(self, loaded: LoadedModel, device: Device, *, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(max(1, threads))
        self.info: ModelInfo = loaded.info
        self.device = device
        self._torch_device = torch.device(device.kind)
        # Measured: on two CPU cores channels_last_3d made the bundled network up to 20 % slower.
        self._channels_last = device.kind == "cuda" and loaded.module.channels_last
        self._largest: int | None = None
        self._best_batch: int | None = None
        module = fused(loaded.module)
        try:
            module = module.to(self._torch_device)
            if self._channels_last:
                module = module.to(memory_format=torch.channels_last_3d)
        except (RuntimeError, MemoryError) as error:
            raise self._gave_up(error) from error
        self._module = module

    def predict(self, frames: NDArray[np.uint8]) -> Prediction:
        """Runs the model over a batch of prepared clips.

        Args:
            frames: uint8 (B, T, H, W, 3), B at least 1, as ``Preprocessing.crop`` leaves them.

        Raises:
            ValueError: the frames are not of the shape the model's preprocessing makes.
            DeviceError: not even one clip fits into the memory, or the device gave up.
            ModelError: the model answered with values that are no numbers.
        """
        self._check(frames)
        parts: list[tuple[torch.Tensor, torch.Tensor]] = []
        done = 0
        while done < len(frames):
            size = len(frames) - done
            size = size if self._largest is None else min(size, self._largest)
            part = self._run_or_shrink(frames[done : done + size])
            if part is not None:
                parts.append(part)
                done += size
        probabilities = torch.cat([part[0] for part in parts]).numpy()
        if not np.isfinite(probabilities).all():
            raise ModelError(
                self.info.name, "it answers with values that are no numbers. Choose another model."
            )
        return Prediction(probabilities, torch.cat([part[1] for part in parts]).numpy())

    def warm_up(self) -> None:
        """Runs one clip through, so that the first real one does not pay for the device's preparations.

        Raises:
            DeviceError: as ``predict``.
        """
        self.predict(self._made_up_clips(1))

    def best_batch(self, max: int = 32) -> int:
        """The batch with the most clips a second, found once by running 1, 2, 4, ... up to ``max``.

        A larger batch is taken only where it is 5 % faster; on a CPU it often is slower.

        Raises:
            DeviceError: as ``predict``.
        """
        if self._best_batch is None:
            self._best_batch = self._measured_batch(max)
        return min(self._best_batch, max)

    def _measured_batch(self, largest: int) -> int:
        wait = synchronise(self.device.kind)
        best, best_rate, worse, batch = 1, 0.0, 0, 1
        while batch <= largest and worse < 2:
            clips = self._made_up_clips(batch)
            rate = batch / quickest(lambda clips=clips: self.predict(clips), wait, repeats=3)  # type: ignore[misc]
            if self._largest is not None and self._largest < batch:
                break
            if rate > best_rate * _WORTH_A_LARGER_BATCH:
                best, best_rate, worse = batch, rate, 0
            else:
                worse += 1
            batch *= 2
        return best

    def _run_or_shrink(self, frames: NDArray[np.uint8]) -> tuple[torch.Tensor, torch.Tensor] | None:
        """The batch's answer, or None when it did not fit and the largest batch has been halved."""
        try:
            return self._run(frames)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or len(frames) == 1:
                raise self._gave_up(error) from error
        # Outside the handler: the error's traceback holds the tensors that shall be freed.
        free_memory(self.device.kind)
        self._largest = len(frames) // 2
        return None

    def _run(self, frames: NDArray[np.uint8]) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.inference_mode(), _exact_convolutions(self.device):
            x = to_input(frames, self.info.preprocessing, self._torch_device)
            order = torch.channels_last_3d if self._channels_last else torch.contiguous_format
            logits, embedding = self._module.embed(x.contiguous(memory_format=order))
            probabilities = torch.softmax(logits.to(torch.float32), dim=1)
            # Activations beyond float16's range are rare but would be stored as infinity for ever.
            limit = torch.finfo(torch.float16).max
            return probabilities.cpu(), embedding.clamp(-limit, limit).to(torch.float16).cpu()

    def _check(self, frames: NDArray[np.uint8]) -> None:
        p = self.info.preprocessing
        wanted = (p.frames, p.height, p.width, 3)
        if frames.dtype != np.uint8 or frames.ndim != 5 or frames.shape[1:] != wanted or len(frames) == 0:
            raise ValueError(
                f"expected uint8 (B, {', '.join(map(str, wanted))}), got {frames.dtype} {frames.shape}"
            )

    def _made_up_clips(self, count: int) -> NDArray[np.uint8]:
        p = self.info.preprocessing
        shape = (count, p.frames, p.height, p.width, 3)
        return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def _gave_up(self, error: BaseException) -> DeviceError:
        where = f"{self.device.name} ({self.device.kind})"
        if is_out_of_memory(error):
            free_memory(self.device.kind)
            return DeviceError(
                f"{where} has not enough free memory for one clip of model {self.info.name}. "
                "Close other programs that use it, choose a smaller model, or use --device cpu."
            )
        return DeviceError(
            f"{where} gave up: {(str(error).splitlines() or [repr(error)])[0]}. Try --device cpu."
        )


def fused(network: Embedder) -> Embedder:
    """A copy in eval mode, each batch norm folded into the convolution before it: faster and the same."""
    network = copy.deepcopy(network).eval()
    for sequence in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for index in range(len(sequence) - 1):
            convolution, norm = sequence[index], sequence[index + 1]
            if isinstance(convolution, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d):
                sequence[index] = fuse_conv_bn_eval(convolution, norm)
                sequence[index + 1] = nn.Identity()
    return network


def _exact_convolutions(device: Device) -> AbstractContextManager[object]:
    """TF32 convolutions, torch's default on newer GPUs, keep 10 bits: answers would depend on the device."""
    if device.kind != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
