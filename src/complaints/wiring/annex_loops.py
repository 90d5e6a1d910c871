"""The loops of the annexes, and the look that runs those of them that have work."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from complaints.api.feature import Annexes, FeatureLoop
from complaints.serving.scheduler import Loop
from complaints.storage.database.loop_names import ANNEX_LOOP
from complaints.use_cases.following import find_behind
from complaints.use_cases.service import Service, Transaction

LOOK_SECONDS = 1.0
LONGEST_REST_SECONDS = 5.0


def annex_loops(service: Service, annexes: Annexes, is_stopping: Callable[[], bool]) -> Iterator[Loop]:
    """The loops that the annexes declare, and a loop that looks for their work."""
    followers: dict[str, str] = {}
    askable: dict[str, Callable[[Transaction], bool]] = {}
    for feature in annexes.features:
        settings = annexes.settings_for(feature)
        for loop in feature.loops:
            name = f"{feature.name}.{loop.name}"
            if loop.follows is not None:
                followers[name] = loop.follows
            if loop.has_work is not None:
                askable[name] = partial(loop.has_work, service, settings)
            extras = [annexes] * loop.needs_annexes + [is_stopping] * loop.is_long
            work = partial(_work_on, loop, service, (settings, *extras), is_stopping)
            yield Loop(name, work, seconds=loop.seconds, cron=loop.cron)
    if followers or askable:
        yield Loop(ANNEX_LOOP, AnnexLook(service, followers, askable).hasten_loops, seconds=LOOK_SECONDS)


def _work_on(
    loop: FeatureLoop, service: Service, given: tuple[Any, ...], is_stopping: Callable[[], bool]
) -> None:
    while loop.work(service, *given) and not is_stopping():
        service.database.give_way()


@dataclass(slots=True)
class AnnexLook:
    """Looks for the work of annexes: one transaction for all, since each costs an idle process its time.

    `followers` has the follower of each loop that has one, and `askable` a function that says if a loop has work.
    """

    service: Service
    followers: Mapping[str, str]
    askable: Mapping[str, Callable[[Transaction], bool]]
    _commit_without_work: object = field(default=None, init=False)
    _looked_at: float = field(default=float("-inf"), init=False)

    def hasten_loops(self) -> None:
        """Run the loops that have work. Raises Unavailable.

        SQLite serves one process. If it has committed nothing since a look that found nothing, only the time can have
        made work due: then the next look may be five seconds later.
        """
        database, at = self.service.database, time.monotonic()
        last_commit = database.last_commit
        rests = last_commit is self._commit_without_work and not database.is_postgresql
        if rests and at < self._looked_at + LONGEST_REST_SECONDS:
            return
        self._looked_at = at
        loops = self.service.read(self._find_loops_with_work)
        self._commit_without_work = None if loops else last_commit
        for loop in loops:
            database.hasten(loop, 0)

    def _find_loops_with_work(self, tx: Transaction) -> list[str]:
        behind = find_behind(tx, {*self.followers.values()})
        following = [loop for loop, follower in self.followers.items() if follower in behind]
        return [*following, *(loop for loop, has_work in self.askable.items() if has_work(tx))]
