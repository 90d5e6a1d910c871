"""Items that arrive together share a call of the work, and each gets its own result."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from complaints.api.complaints.group_commit import LARGEST_GROUP, GroupCommit


class Work:
    """Doubles numbers; the first call waits until it may go on."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.may_go_on = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(items))
        self.may_go_on.wait(10)
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]


async def _together(
    work: Work, items: Sequence[int], *, same: bool = False, give_up: int | None = None
) -> list[object]:
    group = GroupCommit[int, int](work, name=lambda item: "same" if same else None)
    tasks = [asyncio.create_task(group.result_of(item)) for item in items]
    while not work.groups:
        await asyncio.sleep(0.001)
    if give_up is not None:
        tasks[give_up].cancel()
    work.may_go_on.set()
    return [*await asyncio.gather(*tasks, return_exceptions=True)]


def test_a_single_item_starts_at_once_and_items_that_arrive_meanwhile_share_a_group() -> None:
    work = Work()

    async def come() -> list[int]:
        group = GroupCommit[int, int](work, name=lambda _: None)
        first = asyncio.create_task(group.result_of(1))
        while not work.groups:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(group.result_of(item)) for item in (2, 3, 4)]
        await asyncio.sleep(0.01)
        work.may_go_on.set()
        return [await first, *await asyncio.gather(*others)]

    assert asyncio.run(come()) == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]


def test_a_refusal_reaches_its_own_item_only() -> None:
    [first, second, third] = asyncio.run(_together(Work(), [1, -2, 3]))

    assert (first, third) == (2, 6)
    assert isinstance(second, ValueError)


def test_items_of_one_name_are_in_different_groups() -> None:
    work = Work()

    assert asyncio.run(_together(work, [1, 2, 3], same=True)) == [2, 4, 6]
    assert work.groups == [[1], [2], [3]]


def test_a_cancelled_item_does_not_affect_the_others() -> None:
    results = asyncio.run(_together(Work(), [1, 2, 3], give_up=1))

    assert (results[0], results[2]) == (2, 6)
    assert isinstance(results[1], asyncio.CancelledError)


def test_a_group_has_a_largest_size() -> None:
    work = Work()
    results = asyncio.run(_together(work, range(LARGEST_GROUP + 5)))

    assert results == [2 * item for item in range(LARGEST_GROUP + 5)]
    assert [len(group) for group in work.groups] == [LARGEST_GROUP, 5]


def test_a_failure_of_the_work_reaches_its_group_and_the_next_group_goes_on() -> None:
    calls = 0

    def failing_once(items: Sequence[int]) -> list[int | Exception]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError("the database is gone")
        return list(items)

    async def come() -> list[object]:
        group = GroupCommit[int, int](failing_once, name=lambda _: None)
        found = await asyncio.gather(*(group.result_of(n) for n in range(3)), return_exceptions=True)
        return [*found, await group.result_of(7)]

    *failed, last = asyncio.run(come())
    assert [type(failure) for failure in failed] == [RuntimeError] * 3
    assert last == 7


@pytest.mark.parametrize("count", [1, 3])
def test_several_event_loops_may_use_it(count: int) -> None:
    group = GroupCommit[int, int](list, name=lambda _: None)

    assert [asyncio.run(group.result_of(n)) for n in range(count)] == list(range(count))
