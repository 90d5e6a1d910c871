"""Saving changes: a change of a complaint that somebody else has changed since is refused as a whole."""

import pytest

from complaints.domain.complaint.change import Change
from complaints.domain.errors import StaleVersion
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import EventType, Priority
from complaints.storage import load
from complaints.storage.save import ChangeToSave, save
from tests.support import Scenario, check_all


def test_a_change_of_an_outdated_version_is_refused_and_nothing_is_written(scenario: Scenario) -> None:
    fresh, outdated = scenario.post(subject="fresh"), scenario.post(subject="outdated")
    read = scenario.service.read(
        lambda tx: [
            load.load_complaint(tx, complaint.id, scope=ALL_COMPLAINTS) for complaint in (fresh, outdated)
        ]
    )
    scenario.act(outdated, "respond", message="We look.", contact_channel="phone")
    before = [scenario.load(fresh), scenario.load(outdated)]

    def save_all() -> None:
        with scenario.service.database.begin() as tx:
            plans = []
            for loaded in read:
                change = Change(loaded.complaint, actor="test", new_id=scenario.service.new_id)
                change.touch(tx.now)
                change.set(priority=Priority.URGENT)
                change.record(EventType.UPDATED, tx.now)
                plans.append(ChangeToSave(change, loaded.history_end))
            save(tx, plans, scenario.service.new_id)

    with pytest.raises(StaleVersion):
        save_all()
    assert [scenario.load(fresh), scenario.load(outdated)] == before
    assert list(check_all(scenario.service)) == []
