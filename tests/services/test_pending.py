"""Which clip comes next."""

from __future__ import annotations

from array import array

from vidlabel.core.words import ClipQuery, ClipState
from vidlabel.services.pending import Order, PendingQueue


def order(ids: list[int], *, waiting: set[int], skipped: tuple[int, ...] = (), sort: str = "queue") -> Order:
    return Order(
        query=ClipQuery(sort=sort),
        ids=array("q", ids),
        positions={clip_id: place for place, clip_id in enumerate(ids)},
        waiting=set(waiting),
        skipped=skipped,
    )


def test_the_queue_is_walked_from_its_top_and_skipped_ones_come_last() -> None:
    queue = PendingQueue(order([5, 3, 9, 1, 7], waiting={5, 3, 9}, skipped=(7, 1)))
    assert list(queue.walk(None)) == [5, 3, 9, 7, 1]
    assert list(queue.walk(5)) == [3, 9, 7, 1]


def test_decisions_are_taken_out_and_an_undo_comes_back_to_its_place() -> None:
    queue = PendingQueue(order([5, 3, 9], waiting={5, 3, 9}))
    queue.note(5, ClipState.ACCEPTED)
    queue.note(3, ClipState.SKIPPED)
    assert list(queue.walk(None)) == [9, 3]
    queue.note(5, ClipState.UNDECIDED)
    assert list(queue.walk(9)) == [5, 3]
    for clip_id in (5, 9, 3):
        queue.note(clip_id, ClipState.UNUSABLE)
    assert queue.is_empty


def test_from_where_the_person_went_it_goes_on_and_round() -> None:
    queue = PendingQueue(order([1, 2, 3, 4, 5], waiting={1, 2, 4, 5}))
    queue.go_from(4)
    assert list(queue.walk(4)) == [5, 1, 2]
    queue.go_from(1)
    assert list(queue.walk(1)) == [2, 4, 5]


def test_a_new_order_puts_what_is_least_sure_next() -> None:
    queue = PendingQueue(order([1, 2, 3], waiting={1, 2, 3}))
    queue.renew(order([3, 1, 2], waiting={1, 2, 3}))
    assert next(queue.walk(1)) == 3


def test_a_view_sorted_by_name_is_walked_from_the_current_clip() -> None:
    queue = PendingQueue(order([1, 2, 3, 4], waiting={1, 3, 4}, sort="name"))
    assert list(queue.walk(2)) == [3, 4, 1]
