"""A reader of complainants' pages, and complaints in every state that a page may show."""

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from unicodedata import normalize

from httpx2 import Response

from complaints.domain.complaint.facts import Complaint
from complaints.use_cases.complaints.page_token import make_page_token
from tests.api_client import ApiClient
from tests.support import Scenario

PERSON = {
    "name": "Zhuge Kongming",
    "phone": "+8613912345678",
    "email": "kongming@longzhong.example",
    "account_no": "ACCT-7788-31",
}
RESOLVED = {"resolution": "Internal: cell 7 replaced.", "cause": "technical", "outcome": "upheld"}
TOLD = {"message": "We repaired <b>the mast</b>.", "contact_channel": "phone"}


@dataclass
class Reader:
    """A browser without a key."""

    client: ApiClient
    scenario: Scenario

    def path(self, complaint: Complaint) -> str:
        """The path of the page of a complaint."""
        return "/c/" + self.scenario.service.read(lambda tx: make_page_token(tx, complaint.id))

    def read(self, complaint: Complaint, language: str = "en", **query: str) -> str:
        """The words of the page, without markup."""
        answer = self.client.get(self.path(complaint), params={"lang": language, **query})
        assert answer.status_code == 200, answer.text
        return words_of(answer)

    def page_token(self, complaint: Complaint) -> str:
        """The token in the form of a page that was just opened."""
        found = re.search(r'name="page_token" value="([^"]+)"', self.client.get(self.path(complaint)).text)
        assert found is not None
        return found[1]

    def send(self, complaint: Complaint, text: str, page_token: str | None = None, **head: str) -> Response:
        """Send the form, without going on to where the answer points."""
        fields = {"text": text, "page_token": page_token or self.page_token(complaint)}
        return self.client.post(self.path(complaint), data=fields, headers=head, follow_redirects=False)


def words_of(answer: Response) -> str:
    """The words that a person reads on a page. Full-width punctuation is as in ASCII, except for full stops."""
    body = re.sub(r"<style>.*?</style>", "", answer.text, flags=re.DOTALL)
    words = unescape(re.sub(r"<[^>]+>", "", body.partition("<body>")[2]))
    return re.sub(r"\s+", " ", normalize("NFKC", words))


class States:
    """Makes a complaint in each state. The name of a method is the name of the state."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario

    def received(self, **members: Any) -> Complaint:
        return self._scenario.post(complainant=PERSON, first_owner="admin", **members)

    def investigating(self) -> Complaint:
        return self._act(self.received(), "respond", **TOLD)

    def awaiting_complainant(self) -> Complaint:
        return self._held("awaiting_complainant")

    def awaiting_third_party(self) -> Complaint:
        return self._held("awaiting_third_party")

    def outage(self) -> Complaint:
        return self._held("outage")

    def resolved(self) -> Complaint:
        compensation = {"amount": "50.00", "currency": "CNY"}
        return self._act(self.investigating(), "resolve", **RESOLVED, compensation=compensation)

    def following_up(self) -> Complaint:
        return self._act(self.resolved(), "notify_result", **TOLD)

    def closed(self) -> Complaint:
        return self._act(self.following_up(), "close", early=True, root_cause="A mast.", **TOLD)

    def rejected(self) -> Complaint:
        return self._act(self.received(), "reject", reason="not_ours", **TOLD)

    def withdrawn(self) -> Complaint:
        return self._act(self.received(), "withdraw", reason="Internal: rang again.")

    def merged(self) -> Complaint:
        survivor = self.investigating()
        return self._act(self.received(), "merge", into=str(survivor.id))

    def _held(self, reason: str) -> Complaint:
        until = self._scenario.now().replace(day=8)
        return self._act(self.investigating(), "hold", reason=reason, until=until)

    def _act(self, complaint: Complaint, action: str, **members: Any) -> Complaint:
        return self._scenario.act(complaint, action, **members)
