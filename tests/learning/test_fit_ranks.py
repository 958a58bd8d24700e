"""Two real processes fit as one does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.tiny_fit import P, PartOf, batches, tiny, validation
from vidlabel.core.errors import DeviceError
from vidlabel.core.runs import Tunes
from vidlabel.learning.distributed import ALONE, Ranks, open_ranks
from vidlabel.learning.fit import FitOptions, FitProgress, FitResult, fit

# Sums of float32 in another order, through nine steps; 1e-7 was measured.
BOUND = 1e-6
OPTIONS = FitOptions(
    epochs=3,
    peak_rate=1e-2,
    average=0.9,
    accumulate=2,
    best_by=("val_top1", "-val_loss"),
    patience=2,
    class_weights=(1.0, 2.0, 0.5),
)
FROZEN_NORMS = "frozen norms"
NO_NORMS = "no norms"
NORMS = "norms and dropout"


def fitted(case: str, ranks: Ranks, **more: Any) -> tuple[torch.Tensor, FitResult]:
    network = tiny(
        # The first one's weights are what counts.
        seed=3 + ranks.rank,
        normed=case != NO_NORMS,
        dropout=0.3 if case == NORMS else 0.0,
    )
    if case == FROZEN_NORMS:
        network.stages[1][1], network.stages[2][1] = torch.nn.Identity(), torch.nn.Identity()
    result = fit(
        network,
        PartOf(batches(size=5), ranks.rank, ranks.world),
        preprocessing=P,
        options=replace(OPTIONS, tunes=Tunes.LAST if case == FROZEN_NORMS else Tunes.ALL),
        validate=validation(),
        ranks=ranks,
        **more,
    )
    # How many batches a norm has seen is a process's own count, and nothing follows from it.
    moved = [value.flatten() for value in network.state_dict().values() if value.is_floating_point()]
    return torch.cat(moved), result


def one_process(folder: Path, ranks: Ranks) -> None:
    """What each process does; writes what it ended with."""
    torch.set_num_threads(1)
    for case in (FROZEN_NORMS, NO_NORMS, NORMS):
        told: list[FitProgress] = []
        made, result = fitted(case, ranks, on_progress=told.append)
        kept = folder / f"{case}.checkpoint"
        steps = iter(range(1, 99))
        # Only one of them is told to stop, and it is not the first.
        is_last = ranks.rank == ranks.world - 1
        _, stopped = fitted(case, ranks, checkpoint=kept, should_stop=lambda: is_last and next(steps) == 2)  # noqa: B023
        resumed, _ = fitted(case, ranks, resume=kept)
        torch.save(
            {
                "weights": made,
                "resumed": resumed,
                "stopped": [stopped.state, stopped.step],
                "step": result.step,
                "best": result.best_epoch,
                "losses": [epoch["loss"] for epoch in result.history],
                "told": len(told),
            },
            folder / f"{case}.{ranks.rank}",
        )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def two_processes(folder: Path) -> None:
    port = free_port()
    running = []
    for rank in range(2):
        environment = {
            **os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.learning.test_fit_ranks", str(folder)]
        running.append(subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2]))
    try:
        assert [one.wait(60) for one in running] == [0, 0]
    finally:
        for one in running:
            one.kill()
            one.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's loopback is named otherwise there")
def test_two_processes_fit_as_one_and_resume_where_they_were_stopped(tmp_path):
    alone, together = tmp_path / "alone", tmp_path / "together"
    alone.mkdir()
    together.mkdir()
    one_process(alone, ALONE)
    two_processes(together)
    for case in (FROZEN_NORMS, NO_NORMS, NORMS):
        single, first, second = (
            torch.load(folder / f"{case}.{rank}", weights_only=True)
            for folder, rank in ((alone, 0), (together, 0), (together, 1))
        )
        assert torch.equal(first["weights"], second["weights"]), "both end with the same"
        assert first["stopped"] == second["stopped"] == ["stopped", 2]
        assert torch.equal(first["weights"], first["resumed"])
        assert first["told"] > 0 and second["told"] == 0, "only the first tells"
        if case != NORMS:
            # Norms and dropout see a process's own clips: they are not meant to be those of a single one.
            assert float((single["weights"] - first["weights"]).abs().max()) < BOUND
            assert first["losses"] == pytest.approx(single["losses"], abs=BOUND)
            assert (first["step"], first["best"]) == (single["step"], single["best"])


def test_a_single_process_needs_nobody(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with open_ranks("cpu") as (ranks, device):
        assert (ranks.rank, ranks.world, ranks.is_first, device) == (0, 1, True, "cpu")


def test_more_processes_than_gpus_are_refused(monkeypatch):
    for name, value in {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(DeviceError, match="which has 1 GPUs"), open_ranks("cuda"):
        pass


if __name__ == "__main__":
    with open_ranks("cpu") as (own, _):
        one_process(Path(sys.argv[1]), own)
