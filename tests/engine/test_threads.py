from __future__ import annotations

from dataclasses import dataclass

from vidlabel.engine.threads import DecodeMeter, counts_to_measure, network_threads


@dataclass(frozen=True)
class Took:
    wall: float
    work: float


def test_a_cheap_network_leaves_the_cores_to_decoding() -> None:
    costs = {1: Took(0.004, 0.004), 2: Took(0.003, 0.006)}
    assert network_threads(costs, decode_work=0.02, cores=2) == 1


def test_a_network_that_all_wait_for_gets_more_threads() -> None:
    costs = {1: Took(0.10, 0.10), 2: Took(0.055, 0.11)}
    assert network_threads(costs, decode_work=0.02, cores=2) == 2


def test_more_threads_that_give_nothing_are_not_taken() -> None:
    costs = {1: Took(0.10, 0.10), 2: Took(0.12, 0.24)}
    assert network_threads(costs, decode_work=0.02, cores=2) == 1


def test_the_counts_measured_reach_from_all_cores_to_one() -> None:
    assert counts_to_measure(1) == (1,)
    assert counts_to_measure(2) == (2, 1)
    assert counts_to_measure(12) == (12, 8, 4, 2, 1)


def test_the_meter_is_asked_now_and_then() -> None:
    meter = DecodeMeter()
    assert meter.due() is None
    for _ in range(4):
        meter.add(0.02)
    assert meter.due() == 0.02
    assert meter.due() is None, "not for every batch"
