"""Several processes that fit one network together, each on its part of every batch (``torchrun`` starts them).

The gradients of the parts are added up at each step, so that all processes make the same step. The processes agree on
small things (how many clips, whether to stop) over the CPU, so that nobody waits for a GPU.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import DeviceError

if TYPE_CHECKING:
    import torch
    from torch import distributed as dist

# One that dies is noticed at once, by its broken connection; these are for one that hangs or whose wire is cut.
_STEP_WAIT = timedelta(minutes=30)
# The others wait while the first measures, and each for the slowest to look at all clips.
_LONG_WAIT = timedelta(hours=6)


_Rows = TypeVar("_Rows", bound=NDArray[Any])


class Ranks:
    """This process among all; every method has to be called by all of them at the same point.

    Args:
        rank: of this process, from 0; the first one measures, writes and tells.
        world: how many processes there are.
        summing: the process group in which tensors on GPUs are added up; None is torch's default one.
        patient: the one for what may take hours; None is torch's default one.
    """

    def __init__(
        self,
        rank: int = 0,
        world: int = 1,
        *,
        summing: dist.ProcessGroup | None = None,
        patient: dist.ProcessGroup | None = None,
    ) -> None:
        self.rank = rank
        self.world = world
        self._summing = summing
        self._patient = patient

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that measures, writes and tells."""
        return self.rank == 0

    def everybody(self, numbers: Sequence[int]) -> list[list[int]]:
        """Everybody's numbers, those of the first process first; as many in each."""
        if self.world == 1:
            return [list(numbers)]
        import torch

        values = torch.zeros((self.world, len(numbers)), dtype=torch.int64)
        values[self.rank] = torch.tensor(list(numbers), dtype=torch.int64)
        self.add_in_place(values)
        return [[int(value) for value in row] for row in values]

    def whole(self, part: _Rows, sizes: Sequence[int]) -> _Rows:
        """Everybody's rows one after the other.

        Args:
            part: this process's (B, ...), numbers of a type that torch knows.
            sizes: rows of each process.
        """
        if self.world == 1:
            return part
        import torch

        rows = np.zeros((sum(sizes), *part.shape[1:]), part.dtype)
        start = sum(sizes[: self.rank])
        rows[start : start + len(part)] = part
        self.add_in_place(torch.from_numpy(rows))
        return cast("_Rows", rows)

    def most(self, numbers: Sequence[int]) -> list[int]:
        """The largest of everybody's numbers, place by place."""
        if self.world == 1:
            return list(numbers)
        import torch
        from torch import distributed as dist

        values = torch.tensor(list(numbers), dtype=torch.int64)
        with self._heard():
            dist.all_reduce(values, op=dist.ReduceOp.MAX, group=self._patient)
        return [int(value) for value in values]

    def told(self, values: dict[str, float]) -> dict[str, float]:
        """What the first process says, in all of them."""
        if self.world == 1:
            return values
        import torch
        from torch import distributed as dist

        content = json.dumps(values).encode() if self.is_first else b""
        size = self.most([len(content)])[0]
        sent = torch.tensor(list(content.ljust(size)), dtype=torch.uint8)
        with self._heard():
            dist.broadcast(sent, src=0)
        heard: dict[str, float] = json.loads(bytes(sent.tolist()))
        return heard

    def add_up(self, tensors: Sequence[torch.Tensor]) -> None:
        """Puts the sum of everybody's tensors in their place; float, of any shapes, on one device."""
        if self.world == 1 or not tensors:
            return
        import torch

        # One message: the wire's delay counts once, not for every layer.
        flat = torch.cat([one.detach().reshape(-1).float() for one in tensors])
        self.add_in_place(flat)
        start = 0
        with torch.no_grad():
            for one in tensors:
                one.copy_(flat[start : start + one.numel()].view_as(one))
                start += one.numel()

    def add_in_place(self, tensor: torch.Tensor) -> None:
        """Puts the sum of everybody's tensor in its place; of one shape, type and kind of device in all of them."""
        if self.world == 1:
            return
        from torch import distributed as dist

        with self._heard():
            dist.all_reduce(tensor, group=self._summing if tensor.is_cuda else None)

    def share(self, tensors: Sequence[torch.Tensor]) -> None:
        """Puts the first process's tensors in the place of everybody's."""
        if self.world == 1:
            return
        import torch
        from torch import distributed as dist

        with torch.no_grad(), self._heard():
            for one in tensors:
                same = one.detach().cpu().contiguous()
                dist.broadcast(same, src=0, group=self._patient)
                one.copy_(same)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Says in words that the others are gone, or do not answer.

        Raises:
            DeviceError: they are.
        """
        from vidlabel.ml.devices import is_out_of_memory

        try:
            yield
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise DeviceError(
                f"Process {self.rank + 1} of {self.world} has lost the others ({_first_line(error)}). One of them "
                "failed (what it wrote says why), or its machine is gone. The last checkpoint is kept: start all of "
                "them again with --resume."
            ) from error


ALONE = Ranks()
"""A single process."""


@contextmanager
def open_ranks(device: str) -> Iterator[tuple[Ranks, str]]:
    """Joins the processes that ``torchrun`` started; yields this one among them and the device that is its own.

    Args:
        device: torch's name of the device; of ``cuda`` each process takes the one of its place on the machine.

    Raises:
        DeviceError: there are more processes on this machine than GPUs, or the others are not found.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield ALONE, device
        return
    import torch
    from torch import distributed as dist

    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        if local >= torch.cuda.device_count():
            raise DeviceError(
                f"torchrun started process {local + 1} on this machine, which has {torch.cuda.device_count()} GPUs. "
                "Give it --nproc-per-node for as many as there are."
            )
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    try:
        dist.init_process_group("gloo", timeout=_STEP_WAIT)
        patient = cast("dist.ProcessGroup", dist.new_group(backend="gloo", timeout=_LONG_WAIT))
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"Process {rank + 1} of {world} does not find the others ({_first_line(error)}). "
            "Start all with the same torchrun --rdzv-endpoint, and see that the machines reach each other."
        ) from error
    try:
        summing = None
        if on_gpu and dist.is_nccl_available():
            summing = cast("dist.ProcessGroup", dist.new_group(backend="nccl", timeout=_STEP_WAIT))
        yield Ranks(rank, world, summing=summing, patient=patient), device
    finally:
        dist.destroy_process_group()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
