"""Runs a model over batches of clips, and gives way when the device's memory does not suffice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from vidlabel.core.errors import DeviceError, ModelError
from vidlabel.core.model_key import AUTO, ModelKey
from vidlabel.core.words import ONE_VIEW, Views
from vidlabel.ml.budget import Budget
from vidlabel.ml.clip_cost import RUNS, ClipCost
from vidlabel.ml.compiling import Forward, compiled
from vidlabel.ml.devices import Device, free_memory, is_out_of_memory, quickest, synchronise
from vidlabel.ml.fusing import fused
from vidlabel.ml.input import staging_for, to_input
from vidlabel.ml.modelfile import LoadedModel, ModelInfo
from vidlabel.ml.precision import Agreement, agreement, computing, dtype_for, moving_clips, require_gain
from vidlabel.ml.reading import Reading
from vidlabel.ml.running import Part, Running
from vidlabel.ml.saliency import saliency, smoothed

# A larger batch makes the person wait longer for its first clip: it must be worth that much.
_WORTH_A_LARGER_BATCH = 1.05
_TOO_SLOW_TO_BATCH_S = 0.5
"""A clip of such a network fills the device; a batch only makes the person wait longer."""
_COMPARED = 8
"""Clips on which the answers of two ways of computing are compared."""


_TORCHS_THREADS = torch.get_num_threads()


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
    """One model on one device. Not safe to be used by several threads at a time.

    A clip's probabilities follow from its embedding rounded to float16, so that they can be had again from a
    kept embedding (``from_embeddings``). With ``auto`` on a CPU everything before is float32: a clip gets
    the same answer, to what that rounding leaves, in every batch and on every processor.

    Args:
        loaded: left as it is; the predictor works on a copy.
        device: from ``choose_device``.
        threads: processor threads to use, 1 or more; None leaves torch's own choice. Holds for the process.
        precision: one of ``core.model_key.PRECISIONS``; see ``precision.dtype_for``.
        views: how clips are to be looked at, for whoever decodes; the predictor takes each view as a clip. The
            hash and name of ``info`` are those of the model asked in this way (``core.model_key``).

    Raises:
        DeviceError: the model does not fit into the device's memory, or the precision is not to be had.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        device: Device,
        *,
        threads: int | None = None,
        precision: str = AUTO,
        views: Views = ONE_VIEW,
    ) -> None:
        if threads is not None:
            self.set_threads(threads)
        key = ModelKey(loaded.info.hash, views, precision)
        self.info: ModelInfo = replace(loaded.info, hash=str(key), name=key.name(loaded.info.name))
        self.views = views
        self.device = device
        self.precision = precision
        self.dtype = dtype_for(precision, device)
        self._torch_device = torch.device(device.kind)
        # Measured: on two CPU cores channels_last_3d made the bundled network up to 20 % slower.
        self._channels_last = device.kind == "cuda" and loaded.module.channels_last
        self._largest: int | None = None
        self._best_batch: int | None = None
        self._clip_s = 0.0
        """What a clip took alone, at most; 0 while nobody knows."""
        module = fused(loaded.module)
        try:
            module = module.to(self._torch_device)
            if self._channels_last:
                module = module.to(memory_format=torch.channels_last_3d)
            self._staging = staging_for(self._torch_device)
        except (RuntimeError, MemoryError) as error:
            raise self._gave_up(error) from error
        self._module = module
        self._forward: Forward = module.trunk_forward
        self._plain_forward = self._forward
        self._compiled_for: int | None = None
        self._reading = Reading(loaded.module)

    @staticmethod
    def set_threads(threads: int | None) -> None:
        """Processor threads for the network, from here on and for the whole process; None is torch's own choice."""
        torch.set_num_threads(_TORCHS_THREADS if threads is None else max(1, threads))

    # --- answering -------------------------------------------------------------------------------
    def predict(self, frames: NDArray[np.uint8]) -> Prediction:
        """Runs the model over a batch of prepared clips.

        Args:
            frames: uint8 (B, T, H, W, 3), B at least 1, as ``Preprocessing.crop`` leaves them.

        Raises:
            ValueError: the frames are not of the shape the model's preprocessing makes.
            DeviceError: not even one clip fits into the memory, or the device gave up.
            ModelError: the model answered with values that are no numbers.
        """
        prediction = self.finish(self.start(frames))
        self._refuse_no_numbers(prediction.probabilities)
        return prediction

    def start(self, frames: NDArray[np.uint8]) -> Running:
        """Sets the device to work on a batch, as for ``predict``; on a GPU returns before it is done.

        Raises:
            ValueError, DeviceError: as ``predict``.
        """
        self._check(frames)
        parts: list[Part] = []
        done = 0
        while done < len(frames):
            limits = [limit for limit in (self._largest, self._best_batch) if limit is not None]
            size = min(len(frames) - done, *limits) if limits else len(frames) - done
            part = self._run_or_shrink(frames[done : done + size])
            if part is not None:
                parts.append(part)
                done += size
        return Running(frames, parts)

    def finish(self, running: Running) -> Prediction:
        """Waits for a batch. A clip that the model has no numbers for has NaN in its row.

        Raises:
            DeviceError: the device gave up.
        """
        try:
            embeddings = np.concatenate([part.wait() for part in running.parts])
            # What was too large for 16 bits need not be for 32.
            lost = ~np.isfinite(embeddings).all(axis=1)
            if lost.any() and self.dtype != torch.float32:
                embeddings[lost] = self._run(running.frames[lost], torch.float32).wait()
        except (RuntimeError, MemoryError) as error:
            raise self._gave_up(error) from error
        return Prediction(self._reading.probabilities(embeddings), embeddings)

    def from_embeddings(self, embeddings: NDArray[np.float16]) -> NDArray[np.float32]:
        """What the model says of clips it has seen before: the very probabilities that ``predict`` gave.

        Args:
            embeddings: float16 (B, D), of this model.

        Returns:
            float32 (B, L), each row adds up to 1.

        Raises:
            ValueError: the embeddings are not of this model's size.
            ModelError: they lead to values that are no numbers.
        """
        probabilities = self._reading.probabilities(embeddings)
        self._refuse_no_numbers(probabilities)
        return probabilities

    def saliency(self, frames: NDArray[np.uint8], label: int) -> NDArray[np.float32]:
        """Where in one clip (1, T, H, W, 3) the model saw a label: float32 (T', H', W'), 0..1 (``ml/saliency.py``).

        Raises:
            ModelError: this network cannot tell, or the device's memory does not suffice for it.
            DeviceError: the device gave up.
        """
        self._check(frames)
        try:
            seen = to_input(frames, self.info.preprocessing, self._torch_device)
            return smoothed(saliency(self._module, seen, label))
        except ValueError as error:
            raise ModelError(self.info.name, f"it cannot show where it looked: {error}.") from error
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise self._gave_up(error) from error
        # It takes several times the memory of an answer: the device is still good for those.
        free_memory(self.device.kind)
        raise ModelError(
            self.info.name, f"{self.device.name} has not enough free memory to show where it looked."
        )

    # --- getting ready ---------------------------------------------------------------------------
    def warm_up(self) -> None:
        """Runs made-up clips through, so that the first real one does not pay for the device's preparations.

        A reduced precision is compared with float32 here. On a CPU it must be faster and agree; with ``auto``
        on a GPU float32 takes over where it does not agree.

        Raises:
            DeviceError: as ``predict``, or the precision asked for is no gain here.
            ModelError: the model answers with values that are no numbers.
        """
        if self.dtype == torch.float32:
            self._clip_s = self._seconds_of(self._made_up_clips(1))
            return
        gain, found = self._gain_and_agreement()
        if self.device.kind == "cpu":
            require_gain(self.precision, self.device, gain=gain, found=found)
        elif self.precision == AUTO and not found.good:
            self.dtype = torch.float32

    def best_batch(self, max: int = 32, *, within_s: float | None = None) -> int:
        """The batch with the most clips a second, found once by running 1, 2, 4, ... up to ``max``.

        A larger batch is taken only where it is 5 % faster; on a CPU it often is slower.

        Args:
            max: the largest to try.
            within_s: seconds this may take: the best of those that could be tried; 1 without a trial where a
                clip alone takes long. None: all are tried.

        Raises:
            DeviceError: as ``predict``.
        """
        if self._best_batch is None:
            self._best_batch = self._measured_batch(max, within_s)
        return min(self._best_batch, max)

    def cost_by_threads(self, counts: Sequence[int], *, within_s: float | None = None) -> dict[int, ClipCost]:
        """What one clip costs the network with so many threads each; the last count stays set.

        Args:
            counts: of threads.
            within_s: seconds this may take; none is measured, and torch's own choice stays set, where they
                hardly suffice to run each twice. None: as long as it takes.
        """
        clips = self._made_up_clips(1)
        budget = Budget(within_s)
        if within_s is not None and budget.runs(1, self._clip_s):
            # The network's first run, which is all that is known, may have been its slowest by far.
            self._clip_s = min(self._clip_s or float("inf"), self._seconds_of(clips))
        runs = budget.runs((1 + RUNS) * len(counts), self._clip_s) // len(counts)
        if runs < 2:
            self.set_threads(None)
            return {}
        costs: dict[int, ClipCost] = {}
        for count in counts:
            self.set_threads(count)
            costs[count] = ClipCost.of(lambda: self.predict(clips), runs=runs - 1)
        self._clip_s = min(cost.wall for cost in costs.values())
        return costs

    def compile_where_it_pays(self, batch: int) -> float:
        """Compiles the network with torch.compile for batches of this size, if that is faster and agrees.

        Takes from seconds to minutes, so it is never done unasked. Smaller batches run as before.

        Returns:
            How many times faster it is; 1.0 where it was not taken.
        """
        clips = self._made_up_clips(batch)
        exact = self.predict(clips).probabilities
        wait = synchronise(self.device.kind)
        before = quickest(lambda: self.predict(clips), wait, repeats=3)
        faster = compiled(self._plain_forward)
        if faster is None:
            return 1.0
        self._forward, self._compiled_for = faster, batch
        try:
            good = agreement(exact, self.finish(self.start(clips)).probabilities).good
            gain = before / quickest(lambda: self.predict(clips), wait, repeats=3) if good else 0.0
        except Exception:  # noqa: BLE001  whatever the compiler raises: there is the plain way
            gain = 0.0
        if gain < _WORTH_A_LARGER_BATCH:
            self._forward, self._compiled_for = self._plain_forward, None
            return 1.0
        return gain

    def _gain_and_agreement(self) -> tuple[float, Agreement]:
        p = self.info.preprocessing
        clips = moving_clips(_COMPARED, frames=p.frames, height=p.height, width=p.width)
        wait, reduced = synchronise(self.device.kind), self.dtype
        # Where it decides, one clip is what is run most, and eight would take a large network minutes.
        timed = clips[:1] if self.device.kind == "cpu" else clips
        seconds: dict[torch.dtype, float] = {}
        answers: dict[torch.dtype, NDArray[np.float32]] = {}
        for dtype in (torch.float32, reduced):
            self.dtype = dtype
            answers[dtype] = self.finish(self.start(clips)).probabilities
            seconds[dtype] = quickest(lambda: self.finish(self.start(timed)), wait, repeats=3)
        self._refuse_no_numbers(answers[torch.float32])
        found = agreement(answers[torch.float32], answers[reduced])
        return seconds[torch.float32] / seconds[reduced], found

    def _seconds_of(self, frames: NDArray[np.uint8]) -> float:
        began = time.perf_counter()
        self.predict(frames)
        return time.perf_counter() - began

    def _measured_batch(self, largest: int, within_s: float | None) -> int:
        wait, budget = synchronise(self.device.kind), Budget(within_s)
        best, best_rate, worse, batch = 1, 0.0, 0, 1
        if within_s is not None and self._clip_s > _TOO_SLOW_TO_BATCH_S and self.device.kind == "cpu":
            return best
        clip_s = self._clip_s
        while batch <= largest and worse < 2:
            runs = budget.runs(4, batch * clip_s)
            if runs < 2:
                break
            clips = self._made_up_clips(batch)
            rate = batch / quickest(lambda clips=clips: self.predict(clips), wait, repeats=runs - 1)  # type: ignore[misc]
            clip_s = 1 / rate
            if self._largest is not None and self._largest < batch:
                break
            if rate > best_rate * _WORTH_A_LARGER_BATCH:
                best, best_rate, worse = batch, rate, 0
            else:
                worse += 1
            batch *= 2
        return best

    # --- the device ------------------------------------------------------------------------------
    def _run_or_shrink(self, frames: NDArray[np.uint8]) -> Part | None:
        """The batch on its way, or None when it did not fit and the largest batch has been halved."""
        try:
            return self._run(frames)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or len(frames) == 1:
                raise self._gave_up(error) from error
        # Outside the handler: the error's traceback holds the tensors that shall be freed.
        free_memory(self.device.kind)
        self._largest = len(frames) // 2
        return None

    def _run(self, frames: NDArray[np.uint8], dtype: torch.dtype | None = None) -> Part:
        plain = self._compiled_for is not None and len(frames) != self._compiled_for
        forward = self._plain_forward if plain else self._forward
        with computing(self.device, dtype or self.dtype):
            x = to_input(self._staging.send(frames), self.info.preprocessing, self._torch_device)
            order = torch.channels_last_3d if self._channels_last else torch.contiguous_format
            embedding = forward(x.contiguous(memory_format=order)).to(torch.float32)
            # Activations beyond float16's range are rare but would be stored as infinity for ever.
            limit = torch.finfo(torch.float16).max
            kept = torch.where(embedding.isfinite(), embedding.clamp(-limit, limit), torch.nan)
            return Part.of(kept.to(torch.float16))

    def _check(self, frames: NDArray[np.uint8]) -> None:
        p = self.info.preprocessing
        wanted = (p.frames, p.height, p.width, 3)
        if frames.dtype != np.uint8 or frames.ndim != 5 or frames.shape[1:] != wanted or len(frames) == 0:
            raise ValueError(
                f"expected uint8 (B, {', '.join(map(str, wanted))}), got {frames.dtype} {frames.shape}"
            )

    def _refuse_no_numbers(self, probabilities: NDArray[np.float32]) -> None:
        if not np.isfinite(probabilities).all():
            raise ModelError(
                self.info.name, "it answers with values that are no numbers. Choose another model."
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
