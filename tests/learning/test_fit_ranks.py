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

from tests.helpers.tiny_fit import LABELS, P, PartOf, batches, tiny, validation, weights
from tests.helpers.tiny_models import SMALL
from vidlabel.core.errors import DeviceError
from vidlabel.core.runs import Tunes
from vidlabel.learning.batches import Batch
from vidlabel.learning.distributed import ALONE, Ranks, open_ranks
from vidlabel.learning.fit import FitOptions, FitProgress, FitResult, fit
from vidlabel.ml.networks import Embedder, build

# Sums of float32 in another order, through nine steps; up to 4e-7 was measured.
BOUND = 2e-6
# Seconds from the start of processes that torch is imported in, on a busy machine; without care it would be hours.
END_S = 60
OPTIONS = FitOptions(
    epochs=3,
    peak_rate=1e-2,
    average=0.9,
    accumulate=2,
    best_by=("val_top1", "-val_loss"),
    patience=2,
    class_weights=(1.0, 2.0, 0.5),
)
MIXED = "mixup and CutMix"
FROZEN_NORMS = "frozen norms"
NORMS = "norms and dropout"
COMPACT = "compact3d"
HEAD = "head with dropout"
CASES = (MIXED, FROZEN_NORMS, NORMS, COMPACT, HEAD)
CHANGES: dict[str, dict[str, Any]] = {
    MIXED: {"mixup": 0.4, "cutmix": 1.0},
    FROZEN_NORMS: {"tunes": Tunes.LAST},
    COMPACT: {"peak_rate": 1e-3, "layer_decay": 0.7},
    HEAD: {"tunes": Tunes.HEAD},
}


def network_of(case: str, seed: int) -> Embedder:
    if case == COMPACT:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return build("compact3d", labels=LABELS, **SMALL)
    network = tiny(seed, normed=case != MIXED, dropout=0.0 if case == FROZEN_NORMS else 0.3)
    if case == FROZEN_NORMS:
        network.stages[1][1], network.stages[2][1] = torch.nn.Identity(), torch.nn.Identity()
    if case == NORMS:
        # A norm takes a bias before it away again: its gradient is rounding, of which AdamW makes whole steps.
        for before in (network.stem, *(stage[0] for stage in network.stages)):
            before.bias = None
    return network


def fitted(case: str, ranks: Ranks, **more: Any) -> tuple[torch.Tensor, FitResult]:
    # The first one's weights are what counts.
    network = network_of(case, seed=3 + ranks.rank)
    result = fit(
        network,
        PartOf(batches(size=5), ranks.rank, ranks.world),
        preprocessing=P,
        options=replace(OPTIONS, **CHANGES.get(case, {})),
        validate=validation(),
        ranks=ranks,
        **more,
    )
    assert not any("forward" in vars(module) for module in network.modules()), "its layers are as before"
    return weights(network), result


def one_process(folder: Path, ranks: Ranks) -> None:
    """What each process does; writes what it ended with."""
    torch.set_num_threads(1)
    for case in CASES:
        told: list[FitProgress] = []
        made, result = fitted(case, ranks, on_progress=told.append)
        torch.save(
            {
                "weights": made,
                "step": result.step,
                "best": result.best_epoch,
                "losses": [epoch["loss"] for epoch in result.history],
                "told": len(told),
            },
            folder / f"{case}.{ranks.rank}",
        )
    if ranks.world > 1:
        stopped_and_resumed(folder, ranks)
        without_room(folder, ranks)


def stopped_and_resumed(folder: Path, ranks: Ranks) -> None:
    """Only one of them is told to stop, and it is not the first."""
    kept, steps = folder / "checkpoint", iter(range(1, 99))
    is_last = ranks.rank == ranks.world - 1
    _, stopped = fitted(NORMS, ranks, checkpoint=kept, should_stop=lambda: is_last and next(steps) == 2)
    resumed, _ = fitted(NORMS, ranks, resume=kept)
    torch.save(
        {"weights": resumed, "stopped": [stopped.state, stopped.step]}, folder / f"resumed.{ranks.rank}"
    )


def without_room(folder: Path, ranks: Ranks) -> None:
    """The last process has no room for three clips, and that in the middle of what the norms exchange."""

    def loss(network: Embedder, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        logits = network(x)
        if len(x) > 2 and ranks.rank == ranks.world - 1:
            raise MemoryError("No room.")
        return torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch.labels))

    notes: list[str] = []
    made, result = fitted(
        NORMS, ranks, loss=loss, on_progress=lambda progress: notes.append(str(progress.words))
    )
    torch.save(
        {"weights": made, "step": result.step, "notes": "".join(notes)}, folder / f"without room.{ranks.rank}"
    )


def failing(ranks: Ranks, culprit: int) -> None:
    """One of them fails in the middle: the first by an error, another without a word."""

    def fail(*_: object) -> bool:
        if ranks.rank != culprit:
            return False
        if culprit == 0:
            raise OSError("The disk is full.")
        os._exit(9)

    fitted(NORMS, ranks, should_stop=fail)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def two_processes(*arguments: object) -> list[tuple[int, str]]:
    """Exit code and standard error of each."""
    port = free_port()
    running = []
    for rank in range(2):
        environment = {
            **os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo",
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.learning.test_fit_ranks", *map(str, arguments)]
        running.append(
            subprocess.Popen(
                command, env=environment, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True
            )
        )
    try:
        said = [one.communicate(timeout=END_S)[1] for one in running]
        return [(one.returncode, words) for one, words in zip(running, said, strict=True)]
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
    for code, words in two_processes(together):
        assert code == 0, words
    for case in CASES:
        single, first, second = (
            torch.load(folder / f"{case}.{rank}", weights_only=True)
            for folder, rank in ((alone, 0), (together, 0), (together, 1))
        )
        assert torch.equal(first["weights"], second["weights"]), "both end with the same"
        assert first["told"] > 0 and second["told"] == 0, "only the first tells"
        difference = float((single["weights"] - first["weights"]).abs().max())
        assert difference < BOUND, case
        assert first["losses"] == pytest.approx(single["losses"], abs=BOUND)
        assert (first["step"], first["best"]) == (single["step"], single["best"])

    one_go = torch.load(together / f"{NORMS}.0", weights_only=True)
    for rank in range(2):
        resumed = torch.load(together / f"resumed.{rank}", weights_only=True)
        assert resumed["stopped"] == ["stopped", 2]
        assert torch.equal(one_go["weights"], resumed["weights"])
    first, second = (torch.load(together / f"without room.{rank}", weights_only=True) for rank in range(2))
    assert torch.equal(first["weights"], second["weights"])
    assert first["step"] == second["step"] == 9
    assert "did not suffice: from step 1 on" in first["notes"], "all of them take smaller pieces"


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's loopback is named otherwise there")
@pytest.mark.parametrize("culprit", [0, 1])
def test_where_one_fails_the_other_ends(culprit):
    ended = two_processes("failing", culprit)
    code, words = ended[culprit]
    assert code != 0
    assert culprit == 1 or "The disk is full." in words
    code, words = ended[1 - culprit]
    assert code == 1
    assert f"Process {2 - culprit} of 2 has lost the others" in words


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
        if sys.argv[1] == "failing":
            failing(own, int(sys.argv[2]))
        else:
            one_process(Path(sys.argv[1]), own)
