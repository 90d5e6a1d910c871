"""The stream of the console has the complaints in the scope of the user, by type and id alone."""

from collections.abc import Callable

import pytest

from complaints.api.complaints.feed_reader import write_message
from complaints.api.complaints.feed_stream import LIVE_FIELDS
from complaints.domain.scope import ALL_COMPLAINTS, Scope, ScopeKind
from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.access import Caller
from complaints.use_cases.complaints.feed_stretches import FeedView, read_stretch
from tests.console.conftest import Reader
from tests.support import Scenario


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        (ALL_COMPLAINTS, {"network.outage", "billing.refund"}),
        (Scope.teams(["operations"]), {"network.outage"}),
        (Scope.own(ScopeKind.ASSIGNEE, "admin"), {"billing.refund"}),
        (Scope.teams([]), set()),
    ],
)
def test_a_page_hears_of_complaints_in_scope(scenario: Scenario, scope: Scope, seen: set[str]) -> None:
    posts = {name: scenario.post(category=name) for name in ("network.outage", "billing.refund")}
    scenario.act(posts["billing.refund"], "assign", assignee="admin")
    stretch = scenario.service.read(lambda tx: read_stretch(tx, after=0, mark=None, limit=50))
    assert stretch is not None
    view = FeedView(scope, False, False, FeedView.live(_agent()).asked)
    found = {str(one.complaint_id) for one in stretch.shown_in(view)}
    assert found == {str(posts[name].id) for name in seen}


def test_a_message_has_the_type_and_the_id_alone(scenario: Scenario) -> None:
    scenario.post(subject="A secret", complainant={"name": "Wang Fang"})
    stretch = scenario.service.read(lambda tx: read_stretch(tx, after=0, mark=None, limit=50))
    assert stretch is not None
    [shown, *_] = stretch.shown_in(FeedView.live(_agent()))
    message = write_message(shown, LIVE_FIELDS)
    assert b"complaint.created" in message
    assert b"secret" not in message
    assert message.count(b'":') == len(LIVE_FIELDS)


def _agent() -> Caller:
    return Caller("user:li.wei", frozenset({AccessRole.ADMIN}), "user", login=None, reach=None)


def test_the_stream_needs_a_session(sign_in: Callable[..., Reader]) -> None:
    reader = sign_in()
    answer = reader.client.get("/console/changes", headers={"Authorization": ""}, follow_redirects=False)
    assert answer.status_code == 303
