"""The complainant's page: its words in every state and both languages, its secrets, and its headers."""

import re
import string
from dataclasses import replace
from typing import Any

import pytest
import structlog

from complaints.api.problems.html_pages import PAGE_REFUSALS
from complaints.api.problems.languages import Language
from complaints.api.problems.written_times import FORMS
from complaints.domain.complaint.numbers import number_of
from complaints.domain.errors import Unavailable
from complaints.domain.rules.endings import Ending
from complaints.domain.vocabulary import AccessRole, Outcome, Status
from complaints.features.complainant_page import use_cases, wording
from complaints.storage.queries import due_complaints
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.commands.complaints import AddNote, CreateComplaint, MakePromise
from complaints.use_cases.complaints import erasing
from complaints.use_cases.complaints.intake import register
from complaints.use_cases.complaints.intake_checks import IntakeRequest
from complaints.use_cases.complaints.notes_and_links import add_note
from complaints.use_cases.complaints.page_token import make_page_token
from complaints.use_cases.complaints.promises import keep_promise, make_promise
from complaints.use_cases.replica import Replica
from complaints.use_cases.service import Service
from tests.api_client import ApiClient
from tests.features.complainant_page.pages import PERSON, TOLD, Reader, States, words_of
from tests.support import Scenario, apply_calendar_zone

# The words of the page in each state: the state, then what comes next, or the result.
TABLE: dict[str, dict[str, tuple[str, ...]]] = {
    "received": {
        "en": (
            "We have received your complaint.",
            "Received on Monday, 5 January 2026, 09:00.",
            "We contact you for the first time. by Tuesday, 6 January 2026, 09:00",
            "We tell you the result. by Wednesday, 7 January 2026, 09:00",
            "Times are those of China (Beijing time).",
        ),
        "zh": (
            "我们已受理您的投诉",
            "受理时间:2026年1月5日(星期一)09:00",
            "我们首次与您联系。 最晚 2026年1月6日(星期二)09:00",
            "我们告知您处理结果。 最晚 2026年1月7日(星期三)09:00",
            "以上时间均为北京时间",
        ),
    },
    "investigating": {
        "en": ("We are working on your complaint.", "What comes next We tell you the result. by Wednesday"),
        "zh": ("我们正在处理您的投诉", "接下来 我们告知您处理结果。 最晚 2026年1月7日"),
    },
    "awaiting_complainant": {
        "en": (
            "We need something from you",
            "The waiting ends",
            "This time is expected",
            "as soon as you write",
        ),
        "zh": ("需要您补充信息", "等待结束", "该时间为预计时间", "收到后立即继续处理"),
    },
    "awaiting_third_party": {
        "en": (
            "We are waiting for another company",
            "The waiting ends",
            "by Thursday, 8 January 2026, 09:00",
        ),
        "zh": ("我们正在等待其他单位配合", "等待结束", "最晚 2026年1月8日(星期四)09:00"),
    },
    "outage": {
        "en": ("A fault in the network is being repaired.", "The waiting ends"),
        "zh": ("网络故障正在抢修", "等待结束"),
    },
    "resolved": {
        "en": ("We have come to a decision. You will hear the result from us.", "We tell you the result. by"),
        "zh": ("我们已有处理结果,将会告知您", "我们告知您处理结果。 最晚"),
    },
    "following_up": {
        "en": (
            "You have heard the result.",
            "Your complaint is justified.",
            "Compensation: 50.00 CNY",
            "We repaired <b>the mast</b>.",
            "You heard it on Monday, 5 January 2026, 09:00.",
            "We ask you whether the problem is solved. by Thursday, 5 February 2026, 09:00",
        ),
        "zh": (
            "处理结果已告知您",
            "您的投诉属实",
            "补偿:50.00 CNY",
            "We repaired <b>the mast</b>.",
            "告知时间:2026年1月5日(星期一)09:00",
            "我们回访您,确认问题是否已解决。 最晚 2026年2月5日(星期四)09:00",
        ),
    },
    "closed": {
        "en": (
            "Your complaint is closed.",
            "Ended on Monday, 5 January 2026, 09:00.",
            "Your complaint is justified.",
            "If you write before Sunday, 5 April 2026, 09:00, we open this complaint again.",
        ),
        "zh": (
            "您的投诉已办结",
            "结束时间:2026年1月5日",
            "您的投诉属实",
            "在2026年4月5日(星期日)09:00之前留言",
        ),
    },
    "rejected": {
        "en": (
            "We have not taken up your complaint.",
            "Why we have not taken it up We repaired <b>the mast</b>.",
        ),
        "zh": ("您的投诉未予受理", "未予受理的原因 We repaired <b>the mast</b>."),
    },
    "withdrawn": {
        "en": ("Your complaint was withdrawn.", "we open this complaint again"),
        "zh": ("您的投诉已撤回", "我们将重新处理本投诉"),
    },
    "merged": {
        "en": (
            "was joined with your complaint",
            "We are working on your complaint.",
            "We tell you the result. by",
        ),
        "zh": ("合并处理", "我们正在处理您的投诉", "我们告知您处理结果。 最晚"),
    },
}


def test_the_table_has_every_state() -> None:
    """A state without a row, or without its text, would fail only for its complainant."""
    states = {name for name in vars(States) if not name.startswith("_")}
    assert states == {*TABLE}
    for texts in wording.TEXTS.values():
        assert {*texts["situations"]} == states - {"merged"}


def test_each_state_is_told_in_both_languages(
    reader: Reader, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    """Personal data, notes, internal texts and staff are on no page."""
    service, note = scenario.service, AddNote.model_validate({"text": "Internal: a regular."})
    for state, texts in TABLE.items():
        complaint = getattr(States(scenario), state)()
        service.write(lambda tx, to=str(complaint.id): add_note(service, tx, SYSTEM, to, note))
        for language, said in texts.items():
            with subtests.test(f"{state} {language}"):
                words = reader.read(complaint, language)
                assert number_of(complaint.sequence) in words
                assert [one for one in said if one not in words] == [], words
                hidden = [
                    *PERSON.values(),
                    "13912345678",
                    "Internal",
                    "admin",
                    "No signal",
                    "not_ours",
                    "A mast",
                ]
                assert [one for one in hidden if one in words] == []


def test_all_times_are_in_the_zone_that_the_foot_of_the_page_names(
    reader: Reader, scenario: Scenario
) -> None:
    """A calendar of the policy may have another zone."""
    apply_calendar_zone(scenario.service, "America/New_York")
    words = reader.read(States(scenario).received())
    assert [one for one in TABLE["received"]["en"] if one not in words] == [], words


def test_what_is_late_says_so(reader: Reader, scenario: Scenario) -> None:
    complaint = States(scenario).received()
    scenario.jump(hours=25)  # whether or not a sweep has run
    assert "This should have happened by Tuesday, 6 January 2026, 09:00." in reader.read(complaint)
    assert "本应在2026年1月6日(星期二)09:00之前完成。" in reader.read(complaint, "zh")


def test_an_open_promise_is_a_step(reader: Reader, scenario: Scenario) -> None:
    complaint = States(scenario).investigating()
    promise = MakePromise.model_validate({"text": "A technician comes.", "due_at": "2026-01-06T02:30:00Z"})
    service, reference = scenario.service, str(complaint.id)
    _, made = service.write(lambda tx: make_promise(service, tx, SYSTEM, reference, promise))
    said = "As we promised: A technician comes. by Tuesday, 6 January 2026, 10:30"
    words = reader.read(complaint)
    assert said in words, words
    service.write(lambda tx: keep_promise(service, tx, SYSTEM, reference, made.id))
    assert "A technician" not in reader.read(complaint)


def test_the_result_is_told_only_after_the_complainant_heard_it(reader: Reader, scenario: Scenario) -> None:
    states = States(scenario)
    assert "justified" not in reader.read(states.resolved())
    reopened = scenario.act(states.following_up(), "record_contact", outcome="not_solved", note="No.")
    words = reader.read(reopened)
    assert "justified" not in words
    assert "We are working on your complaint." in words


def test_erased_texts_are_gone_from_the_page(reader: Reader, scenario: Scenario) -> None:
    complaint = States(scenario).closed()
    service = scenario.service
    service.write(
        lambda tx: erasing.erase_texts(service, tx, SYSTEM, str(complaint.id), reason="The customer asked.")
    )
    words = reader.read(complaint)
    assert "The texts of this complaint were erased." in words
    assert "The words of our message are no longer on record." in words
    assert "Your complaint is justified." in words
    assert "mast" not in words


def test_rule_1_20_the_page_does_not_tell_an_outcome_that_nobody_named(
    reader: Reader, scenario: Scenario
) -> None:
    complaint = scenario.resolve_assumed(States(scenario).investigating())
    scenario.act(complaint, "notify_result", **TOLD)
    words = reader.read(complaint)
    assert "We repaired" in words
    assert "could not confirm" not in words


def test_an_imported_and_a_parked_complaint_have_pages(reader: Reader, scenario: Scenario) -> None:
    """An ended complaint of another system has no message here; a parked one is shown as it stands."""
    service = scenario.service
    ending = Ending(status=Status.CLOSED, closed_at=scenario.now(), outcome=Outcome.UPHELD)
    command = CreateComplaint.model_validate({"channel": "phone", "subject": "Old", "external_id": "H1"})
    request = IntakeRequest(SYSTEM, command, ending=ending)
    [imported] = service.write(lambda tx: register(service, tx, [request]))
    assert "Your complaint is closed." in reader.read(imported.complaint)
    parked = States(scenario).received()
    service.write(lambda tx: due_complaints.park(tx, [parked.id]))
    assert "We contact you for the first time." in reader.read(parked)


def test_the_language_is_chosen_then_spoken_then_accepted(reader: Reader, scenario: Scenario) -> None:
    path = {tag: reader.path(scenario.post(complainant={"language": tag})) for tag in ("zh_CN", "en", "fr")}
    shown = {
        (spoken, accepted, chosen): reader.client.get(
            path[spoken], params={"lang": chosen} if chosen else {}, headers={"Accept-Language": accepted}
        ).headers["content-language"]
        for spoken in path
        for accepted in ("zh", "en")
        for chosen in ("", "zh", "en", "xx")
    }
    for (spoken, accepted, chosen), language in shown.items():
        expected = chosen if chosen in ("zh", "en") else spoken[:2] if spoken != "fr" else accepted
        assert language == expected, (spoken, accepted, chosen)


def test_a_page_is_for_one_reader_alone(reader: Reader, scenario: Scenario) -> None:
    """No cache and no search engine keeps it, nothing leads away from it, and it loads nothing."""
    answer = reader.client.get(reader.path(States(scenario).received()))
    kept = {name: answer.headers[name] for name in ("referrer-policy", "x-robots-tag", "cache-control")}
    assert kept == {
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, nofollow",
        "cache-control": "no-store",
    }
    policy = answer.headers["content-security-policy"]
    assert re.fullmatch(
        "default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        policy,
    )
    assert "<script" not in answer.text
    assert "://" not in answer.text
    assert 'lang="en"' in answer.text


def test_all_wrong_tokens_get_the_same_page(reader: Reader, scenario: Scenario) -> None:
    right = reader.path(States(scenario).received())
    others = scenario.service.read(lambda tx: make_page_token(tx, scenario.service.new_id()))
    wrong = [
        "/c/x",
        right[:-1] + ("A" if right[-1] != "A" else "Q"),
        right + "=",
        f"/c/{others}",
        "/c/%F0%9F%98%80",
    ]
    answers = [ask(path) for path in wrong for ask in (reader.client.get, send_to(reader.client))]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert "There is no page at this address." in words_of(answers[0])


def send_to(client: ApiClient) -> Any:
    return lambda path: client.post(path, data={"text": "Hello", "page_token": "x" * 22})


def test_no_log_line_has_the_token(reader: Reader, scenario: Scenario) -> None:
    path = reader.path(States(scenario).received())
    with structlog.testing.capture_logs() as lines:
        for method in ("GET", "POST"):
            reader.client.request(method, path)
    assert [line["path"] for line in lines if line["event"] == "request"] == ["/c/…"] * 2
    assert path.removeprefix("/c/") not in str(lines)


@pytest.mark.parametrize("language", Language)
def test_refusals_outside_the_form_are_pages_too(
    reader: Reader, scenario: Scenario, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    path = reader.path(States(scenario).received())
    head = {"Accept-Language": language}
    client = reader.client
    form = {"text": "Hello", "page_token": "x" * 22}
    answers = {
        405: client.put(path, headers=head),
        415: client.post(path, json=form, headers=head),
        413: client.post(path, data=form | {"text": "x" * 2_000_000}, headers=head),
        403: client.post(path, data=form, headers=head | {"Sec-Fetch-Site": "cross-site"}),
    }

    def fail(*_: Any) -> None:
        raise Unavailable("The database is out of reach.")

    monkeypatch.setattr(use_cases, "load_page", fail)
    answers[503] = client.get(path, headers=head)
    monkeypatch.setattr(use_cases, "load_page", lambda *_: 1 / 0)
    answers[500] = client.get(path, headers=head)
    for status, answer in answers.items():
        words = PAGE_REFUSALS[language]
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert words.get(str(status), words["other"])["text"] in answer.text
        assert (answer.headers["x-request-id"] in answer.text) == (status == 500)
        assert f'<html lang="{language}">' in answer.text
        assert path not in answer.text


def test_both_files_of_texts_have_the_same_keys_and_parts() -> None:
    for texts in (wording.TEXTS, PAGE_REFUSALS, FORMS):
        assert dict(flatten(texts[Language.ENGLISH])) == dict(flatten(texts[Language.CHINESE]))


def flatten(texts: Any, place: str = "") -> Any:
    """The names in braces of each text, by its place."""
    for key, value in texts.items():
        if isinstance(value, str):
            yield (
                f"{place}{key}",
                {name for _, name, _, _ in string.Formatter().parse(value) if name} - {"weekday"},
            )
        elif isinstance(value, list):
            yield f"{place}{key}", len(value)
        else:
            yield from flatten(value, f"{place}{key}.")


def test_the_link_is_for_those_who_may_add_contacts(client: ApiClient, scenario: Scenario) -> None:
    complaint = scenario.post(source="north")
    link = f"/v1/complaints/{complaint.id}/page-link"
    found = client.get(link).json()
    assert found["url"] is None
    assert client.get(found["path"]).status_code == 200
    public = replace(scenario.service, public_url="https://complaints.example.com")
    client.app.state.service = public  # type: ignore[attr-defined]
    assert client.get(link).json()["url"] == "https://complaints.example.com" + found["path"]
    keys = {
        200: scenario.key(AccessRole.INTAKE, source="north"),
        404: scenario.key(AccessRole.INTAKE, source="south"),
        403: scenario.key(AccessRole.AUDITOR),
    }
    assert {status: client.get(link, headers=key).status_code for status, key in keys.items()} == {
        status: status for status in keys
    }


def test_a_replica_answers_until_the_reader_has_written(
    reader: Reader, scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load_page(service: Service, tx: Any, token: str) -> Any:
        asked.append("replica" if service is replica else "primary")
        return load(service, tx, token)

    load = use_cases.load_page
    replica = Replica(scenario.service.database, scenario.service.new_id, primary=scenario.service)
    monkeypatch.setattr(use_cases, "load_page", load_page)
    state = reader.client.app.state  # type: ignore[attr-defined]
    state.replica = replica
    try:
        complaint = States(scenario).received()
        reader.read(complaint)
        reader.read(complaint, done="added")
    finally:
        state.replica = None
    assert asked == ["replica", "primary"]
