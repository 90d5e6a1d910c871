"""Lists of specifications: order, pages, filters and fields."""

from typing import Any

import pytest

from complaints.tmf621.queries.query import Grammar
from complaints.tmf621.queries.reading import read_query
from complaints.tmf621.specifications.lists import GRAMMAR, choose_page
from tests.api_client import ApiClient
from tests.support import Scenario
from tests.tmf621.specifications import CHARACTERISTICS, SPECIFICATIONS, new_specification

Members = dict[str, Any]


def made(code: str, **members: Any) -> Members:
    return {"id": code, "name": code.upper(), "lifecycleStatus": "active", **members}


PERIOD = {"startDateTime": "2026-01-01T08:00:00+08:00"}
SHOWN = [
    made(
        "a",
        creationDate="2026-01-05T01:00:00Z",
        version="2",
        validFor={"startDateTime": "2026-01-01T08:00:00+08:00"},
    ),
    made(
        "b",
        creationDate="2026-01-06T01:00:00Z",
        lifecycleStatus="retired",
        specCharacteristic=CHARACTERISTICS,
    ),
    made(
        "c",
        creationDate="2026-01-05T01:00:00Z",
        relatedParty=[{"role": "owner", "partyOrPartyRole": {"id": "7"}}],
    ),
    made("d", version="1", description="about bills, and more"),
]


QUERIES = [
    ("", "bacd"),
    ("sort=id", "abcd"),
    ("sort=-id", "dcba"),
    ("sort=version", "bcda"),
    ("sort=-version,id", "adbc"),
    ("lifecycleStatus=active", "acd"),
    ("lifecycleStatus=active,retired", "bacd"),
    ("lifecycleStatus.ne=active", "b"),
    ("name=B&lifecycleStatus=active", ""),
    ("name.regex=^[ab]$", None),
    ("name.regex=^A", "a"),
    ("creationDate.gt=2026-01-05T01:00:00Z", "b"),
    ("creationDate.lte=2026-01-05T09:00:00%2B08:00", "ac"),
    ("validFor.startDateTime=2026-01-01T00:00:00Z", "a"),
    ("specCharacteristic.name=currency", "b"),
    ("specCharacteristic.configurable=true", "b"),
    ("specCharacteristic.minCardinality.gte=1", "b"),
    ("relatedParty.role=owner", "c"),
    ("relatedParty.partyOrPartyRole.id=7,8", "c"),
    ("filter=$[?(@.lifecycleStatus=='retired')]", "b"),
    ("filter=specCharacteristic[?(@.name=='currency')]", "b"),
    ("filter=attachment[?(@size==300)]", ""),  # the example of the official file
    ("description=about bills%5C, and more", "d"),
    ("offset=1&limit=2", "ac"),
    ("offset=9", ""),
    ("limit=0", ""),
    ("colour=red", None),
    ("sort=colour", None),
    ("sort=specCharacteristic", None),
    ("creationDate=yesterday", None),
    ("name=a;b", None),
    ("after=nothing", None),
    ("before=%C3%A4", None),
]


def test_a_query_chooses_specifications(subtests: pytest.Subtests) -> None:
    for query, codes in QUERIES:
        with subtests.test(query):
            if codes is None:
                with pytest.raises(Exception, match=r"must|unknown|can be") as refused:
                    choose_page(SHOWN, read_query(query.encode(), GRAMMAR))
                assert refused.value.faults[0].parameter  # type: ignore[attr-defined]
                return
            page = choose_page(SHOWN, read_query(query.encode(), GRAMMAR))
            assert [one["id"] for one in page.items] == [*codes]


def test_the_total_counts_all_that_fit() -> None:
    page = choose_page(SHOWN, read_query(b"lifecycleStatus=active&limit=1", GRAMMAR))
    assert (len(page.items), page.total) == (1, 3)


@pytest.mark.parametrize("order", ["", "&sort=name", "&sort=-version"])
def test_cursors_go_forth_and_back_over_the_whole_list(order: str) -> None:
    def page(query: str) -> Any:
        return choose_page(SHOWN, read_query(f"limit=1{order}{query}".encode(), GRAMMAR))

    whole = [one["id"] for one in choose_page(SHOWN, read_query(order[1:].encode(), GRAMMAR)).items]
    there = [page("")]
    while there[-1].after is not None and len(there) < 9:
        there.append(page(f"&after={there[-1].after}"))
    back = [there[-1]]
    while back[-1].before is not None and len(back) < 9:
        back.append(page(f"&before={back[-1].before}"))
    assert [one.items[0]["id"] for one in there] == whole
    assert [one.items[0]["id"] for one in back] == whole[::-1]


def test_every_member_of_the_grammar_can_be_asked_for() -> None:
    assert isinstance(GRAMMAR, Grammar)
    values = {"text": "a", "instant": "2026-01-05T01:00:00Z", "number": "1", "flag": "true"}
    for name, member in GRAMMAR.members.items():
        choose_page(SHOWN, read_query(f"{name}={values[member.kind]}".encode(), GRAMMAR))
    for name in GRAMMAR.sorts:
        choose_page(SHOWN, read_query(f"sort=-{name}".encode(), GRAMMAR))


def test_a_list_has_counts_links_and_fields(client: ApiClient, scenario: Scenario) -> None:
    scenario.jump(hours=1)
    client.post(SPECIFICATIONS, json=new_specification()).raise_for_status()
    first = client.get(SPECIFICATIONS, params={"limit": 2, "fields": "name", "lifecycleStatus": "active"})
    total = len(client.get("/v1/categories", params={"limit": 200}).json()["items"])
    assert (first.headers["x-total-count"], first.headers["x-result-count"]) == (str(total), "2")
    assert first.json()[0] == {
        "id": "bill_dispute",
        "href": f"{SPECIFICATIONS}/bill_dispute",
        "@type": "TroubleTicketSpecification",
        "name": "Bill Dispute",
    }
    second = client.get(first.links["next"]["url"])
    assert second.json()[0].keys() == first.json()[0].keys()
    assert not {one["id"] for one in first.json()} & {one["id"] for one in second.json()}
    assert client.get(second.links["prev"]["url"]).json() == first.json()
    assert "prev" not in first.links


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_fields_are_chosen_wherever_a_specification_is_shown(client: ApiClient, method: str) -> None:
    path = SPECIFICATIONS if method == "POST" else f"{SPECIFICATIONS}/network"
    body = {
        "GET": {},
        "POST": {"json": new_specification()},
        "PATCH": {"json": {"@type": "a", "version": "2"}},
    }
    shown = client.request(method, path, params={"fields": "lifecycleStatus,nothing"}, **body[method])
    assert shown.json().keys() == {"id", "href", "@type", "lifecycleStatus"}
    refused = client.request(method, path, params={"colour": "red"}, **body[method])
    assert refused.status_code == 400
    assert "colour" in refused.json()["message"]
