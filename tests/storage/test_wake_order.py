"""A complaint is due from the instant of its wake time on."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from complaints.storage.queries import due_complaints
from complaints.storage.rows.complaint import complaint
from tests.support import Scenario


@pytest.mark.parametrize(("early", "due"), [(0, True), (1, False)])
def test_a_complaint_is_due_at_its_wake_time_and_not_before(
    scenario: Scenario, early: int, due: bool
) -> None:
    posted = scenario.post()
    with scenario.service.database.begin() as tx:
        wake_at = tx.now + timedelta(microseconds=early)
        tx.connection.execute(update(complaint).values(wake_at=wake_at))
        assert due_complaints.seconds_to_next_wake(tx) == early / 1e6
        claimed = due_complaints.claim_next(tx, after=None)
        assert (claimed is not None and claimed.id == posted.id) == due
        assert [one.complaint.id for one in due_complaints.claim_due(tx, limit=5)] == [posted.id] * due
