"""A message from the page is a contact on the complaint, once, in whatever state the complaint is."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from complaints.domain.complaint.numbers import number_of
from complaints.domain.scope import ALL_COMPLAINTS
from complaints.domain.vocabulary import EventType, LinkType, Status
from complaints.features.complainant_page import use_cases
from complaints.storage import load
from complaints.storage.rows.person import find_persons
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.complaints import erasing
from complaints.use_cases.complaints.history import timeline
from tests.features.complainant_page.pages import PERSON, Reader, States, words_of
from tests.support import Scenario

pytestmark = pytest.mark.usefixtures("everything_holds")
OPEN = ("received", "investigating", "awaiting_third_party", "outage", "resolved", "following_up")
ENDED = ("closed", "rejected", "withdrawn")
TEXT = "It is still broken.\nPlease come."


def contacts_on(scenario: Scenario, reference: str) -> list[tuple[str, str]]:
    """Actor and words of each contact on a complaint."""
    events = scenario.service.read(lambda tx: timeline(tx, SYSTEM, reference, after=0, limit=200))
    told = [one for one in events if one.type == EventType.CONTACT_REPEATED]
    assert {one.data["channel"] for one in told} <= {"web"}
    return [(one.actor, one.data["description"]) for one in told]


def test_rule_1_19_a_message_is_a_contact_in_every_state(
    reader: Reader, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    for state in (*OPEN, "awaiting_complainant", *ENDED, "merged"):
        complaint = getattr(States(scenario), state)()
        survivor = complaint.merged_into or complaint.id
        before = complaint.status
        with subtests.test(state):
            answer = reader.send(complaint, TEXT.replace("\n", "\r\n"), Origin="null")
            assert answer.status_code == 303, answer.text
            assert answer.headers["location"] == reader.path(complaint) + "?done=added"
            assert contacts_on(scenario, str(survivor)) == [("complainant", TEXT)]
            status = scenario.load(complaint).status
            assert status == (Status.INVESTIGATING if state in (*ENDED, "awaiting_complainant") else before)
            assert "Thank you. We have your message." in reader.read(complaint, done="added")


def test_the_same_form_adds_its_message_once(reader: Reader, scenario: Scenario) -> None:
    """A reload, and a form that was sent again after the browser went back."""
    complaint = States(scenario).investigating()
    page_token = reader.page_token(complaint)
    answers = [reader.send(complaint, TEXT, page_token) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {303}
    assert reader.send(complaint, "And the bill is wrong.", page_token).status_code == 303
    assert reader.send(complaint, TEXT).status_code == 303  # known words are a retry (rule 1.11)
    said = [text for _, text in contacts_on(scenario, str(complaint.id))]
    assert said == [TEXT, "And the bill is wrong."]


def test_of_the_same_messages_at_the_same_time_one_is_added(reader: Reader, scenario: Scenario) -> None:
    complaint, service = States(scenario).closed(), scenario.service
    token = reader.path(complaint).removeprefix("/c/")

    def add(_: int) -> object:
        now = scenario.now()
        return service.write(
            lambda tx: use_cases.add_message(service, tx, token, TEXT, address="", now=now)
        ).complaint.id

    with ThreadPoolExecutor(4) as pool:
        assert {*pool.map(add, range(4))} == {complaint.id}
    assert contacts_on(scenario, str(complaint.id)) == [("complainant", TEXT)]


def test_a_message_after_the_window_begins_a_new_complaint_once(reader: Reader, scenario: Scenario) -> None:
    complaint = States(scenario).closed()
    scenario.advance(days=91)
    assert "If you write, we begin a new complaint" in reader.read(complaint)
    page_token = reader.page_token(complaint)
    first, again, anew = (
        reader.send(complaint, TEXT, page_token),
        reader.send(complaint, TEXT, page_token),
        reader.send(complaint, TEXT),
    )
    assert first.headers["location"] == again.headers["location"]
    assert anew.headers["location"] == reader.path(complaint) + "?done=added"
    path = first.headers["location"].removesuffix("?done=added_new")
    assert path != reader.path(complaint)
    page = words_of(reader.client.get(first.headers["location"] + "&lang=en"))
    assert "We began a new complaint with your message." in page
    new = scenario.service.read(
        lambda tx: load.load_complaint(tx, complaint.sequence + 1, scope=ALL_COMPLAINTS)
    ).complaint
    assert number_of(new.sequence) in page
    assert (new.subject, new.description, new.channel) == (complaint.subject, TEXT, "web")
    assert scenario.load(complaint).status is Status.CLOSED
    events = scenario.service.read(lambda tx: timeline(tx, SYSTEM, str(new.id), after=0, limit=9))
    linked = [one.data for one in events if one.type == EventType.LINKED]
    assert [(one["type"], one["complaint_id"]) for one in linked] == [
        (LinkType.RECURRENCE_OF, str(complaint.id))
    ]
    person = scenario.service.read(lambda tx: find_persons(tx, [new.id]))[new.id]["complainant"]
    assert person.phone == PERSON["phone"]


def test_a_complaint_whose_subject_was_erased_takes_a_message(reader: Reader, scenario: Scenario) -> None:
    complaint, service = States(scenario).closed(), scenario.service
    service.write(lambda tx: erasing.erase_texts(service, tx, SYSTEM, str(complaint.id), reason="Asked."))
    assert reader.send(complaint, TEXT).status_code == 303
    assert contacts_on(scenario, str(complaint.id)) == [("complainant", TEXT)]


@pytest.mark.parametrize(
    ("text", "page_token", "said"),
    [
        ("", None, "Please write a message first."),
        (" \u200b\n", None, "Please write a message first."),
        ("x" * 10_001, None, "Your message has 10,001 characters. Please shorten it to 10,000."),
        ("a\0b", None, "Your message has characters that we cannot store."),
        ("Hello", "short", "This form is not complete."),
    ],
)
def test_a_faulty_message_comes_back_with_its_words(
    reader: Reader, scenario: Scenario, text: str, page_token: str | None, said: str
) -> None:
    complaint = States(scenario).received()
    answer = reader.send(complaint, text, page_token)
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert text.replace("\0", "\ufffd").strip() in answer.text.replace("\0", "\ufffd")
    assert "<title>The message was not sent" in answer.text
    assert 'aria-describedby="hint fault" aria-invalid="true"' in answer.text
    assert contacts_on(scenario, str(complaint.id)) == []


@pytest.mark.parametrize("body", [b"text=%FF", b"text=\xe4\xb8\xad", b"&".join([b"a=b"] * 11), b"text"])
def test_a_form_that_no_browser_sends_is_refused(reader: Reader, scenario: Scenario, body: bytes) -> None:
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    path = reader.path(States(scenario).received())
    assert reader.client.post(path, content=body, headers=head).status_code == 422


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "http://testserver"}, 303),
        ({}, 303),
    ],
)
def test_a_form_of_another_site_is_refused(
    reader: Reader, scenario: Scenario, head: dict[str, str], status: int
) -> None:
    """A browser that knows no Sec-Fetch-Site sends `Origin: null` from a page without referrer."""
    assert reader.send(States(scenario).received(), TEXT, "x" * 22, **head).status_code == status


def test_many_messages_have_to_wait_and_nothing_is_lost(reader: Reader, scenario: Scenario) -> None:
    """The count is in the database, by the wall clock, for each complaint."""
    complaint, other = States(scenario).received(), States(scenario).received()
    with time_machine.travel("2026-03-01T10:00:00Z", tick=False) as clock:
        answers = [reader.send(complaint, f"Message {n}") for n in range(7)]
        assert [answer.status_code for answer in answers] == [303] * 5 + [429] * 2
        refused = answers[-1]
        assert refused.headers["retry-after"] == "1"
        assert "Please wait 1 seconds, and send this one again. " in words_of(refused)
        assert "Message 6</textarea>" in refused.text
        assert reader.send(other, "Message").status_code == 303
        clock.shift(timedelta(seconds=2))
        assert reader.send(complaint, "Message 6").status_code == 303
    assert len(contacts_on(scenario, str(complaint.id))) == 6
