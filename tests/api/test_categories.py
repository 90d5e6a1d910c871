"""The routes /v1/categories: a tree of two levels that classifies complaints."""

from complaints.domain.vocabulary import AccessRole
from complaints.use_cases.upkeep.seeding import load_seed_data
from tests.api_client import ApiClient
from tests.support import Scenario

NAMES = {"en": "Dropped between cells", "zh": "切换掉话"}
LEAF = {"code": "network.handover", "names": NAMES, "cause": "technical", "nature": "technical"}


def test_a_leaf_is_made_read_and_used(client: ApiClient) -> None:
    # rule 5.2
    made = client.post("/v1/categories", json=LEAF)

    assert made.status_code == 201
    assert made.headers["location"] == "/v1/categories/network.handover"
    assert made.json() == {**LEAF, "parent": "network", "team": None, "active": True}
    assert client.get(made.headers["location"]).json() == made.json()
    complaint = {"channel": "phone", "subject": "x", "category": "network.handover"}
    assert client.post("/v1/complaints", json=complaint).json()["category"] == "network.handover"


def test_one_out_of_use_is_refused_at_intake_with_those_below_it(client: ApiClient) -> None:
    for category, status in (("network.outage", 422), ("network", 201)):
        client.patch("/v1/categories/network.outage", json={"active": False})
        posted = client.post("/v1/complaints", json={"channel": "web", "subject": "x", "category": category})
        assert posted.status_code == status
    client.patch("/v1/categories/network", json={"active": False})
    refused = client.post(
        "/v1/complaints", json={"channel": "web", "subject": "x", "category": "network.slow"}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/category"
    client.patch("/v1/categories/network", json={"active": True})
    again = client.post("/v1/complaints", json={"channel": "web", "subject": "x", "category": "network.slow"})
    assert again.status_code == 201


def test_a_change_keeps_what_it_does_not_name(client: ApiClient) -> None:
    before = client.get("/v1/categories/network.outage").json()
    changed = client.patch(
        "/v1/categories/network.outage", json={"names": {"zh": "断网"}, "team": "management", "cause": None}
    )
    assert changed.json() == before | {"names": before["names"] | {"zh": "断网"}, "team": "management"}
    assert client.patch("/v1/categories/network.outage", json={"team": ""}).json()["team"] is None


UNFIT = [
    ({"code": "Network"}, "/code"),
    ({"code": "network.A"}, "/code"),
    ({"code": "nowhere.leaf"}, "/parent"),
    ({"parent": "billing"}, "/parent"),
    ({"cause": None}, "/cause"),
    ({"nature": None}, "/nature"),
    ({"cause": "weather"}, "/cause"),
    ({"team": "nobody"}, "/team"),
    ({"names": {"en": "Only English"}}, "/names/zh"),
    ({"names": NAMES | {"zh": " "}}, "/names/zh"),
    ({"names": NAMES | {"fr": "x"}}, "/names/fr"),
    ({"active": "no"}, "/active"),
    ({"colour": "red"}, "/colour"),
]


def test_what_does_not_fit_is_refused_at_its_member(client: ApiClient) -> None:
    for change, pointer in UNFIT:
        refused = client.post("/v1/categories", json=LEAF | change)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
        assert client.get("/v1/categories/network.handover").status_code == 404


def test_a_code_is_taken_once(client: ApiClient) -> None:
    assert client.post("/v1/categories", json=LEAF).status_code == 201
    taken = client.post("/v1/categories", json=LEAF)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/conflict")
    assert client.patch("/v1/categories/nowhere", json={"active": True}).status_code == 404


def test_posting_again_under_one_idempotency_key_answers_the_same(client: ApiClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = client.post("/v1/categories", json=LEAF, headers=headers)
    again = client.post("/v1/categories", json=LEAF, headers=headers)
    other = client.post("/v1/categories", json=LEAF | {"cause": "service"}, headers=headers)

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422


def test_the_list_is_whole_and_in_order_page_by_page(client: ApiClient) -> None:
    found: list[str] = []
    cursor = None
    while True:
        query = {"limit": "7"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/categories", params=query).json()
        assert len(page["items"]) <= 7
        found += [item["code"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == sorted(category.code for category in load_seed_data().categories)


QUERIES = [
    ("limit=0", 422),
    ("limit=201", 422),
    ("cursor=nonsense", 400),
    ("cursor=eyJraW5kIjoidGVhbXMiLCJhZnRlciI6WyJhIl19", 400),
    ("cursor=eyJraW5kIjoiY2F0ZWdvcmllcyIsImFmdGVyIjpbMV19", 400),
    ("fields=code,colour", 400),
    ("colour=red", 400),
    ("fields=code,names&limit=1", 200),
]


def test_lists_refuse_what_they_do_not_know(client: ApiClient) -> None:
    for query, status in QUERIES:
        answer = client.get(f"/v1/categories?{query}")
        assert answer.status_code == status
        if status == 200:
            assert [set(item) for item in answer.json()["items"]] == [{"code", "names"}]


def test_roles(client: ApiClient, scenario: Scenario) -> None:
    """Every role reads reference data, except users and keys. Only managers and administrators write it."""
    keys = {role: scenario.key(role) for role in AccessRole}

    def with_status(method: str, path: str, refused: bool) -> set[AccessRole]:
        answers = {role: client.request(method, path, headers=key, json={}) for role, key in keys.items()}
        return {role for role, answer in answers.items() if (answer.status_code == 403) is refused}

    everybody, admin = set(AccessRole), {AccessRole.ADMIN}
    managers = {AccessRole.MANAGER, AccessRole.ADMIN}
    for noun in ("categories", "departments", "teams", "calendars", "policies"):
        assert with_status("GET", f"/v1/{noun}", refused=False) == everybody
        method, path = ("PUT", "calendars/x") if noun == "calendars" else ("POST", noun)
        assert with_status(method, f"/v1/{path}", refused=False) == managers
    assert with_status("GET", "/v1/users", refused=True) == {AccessRole.INTAKE}
    assert with_status("POST", "/v1/users", refused=False) == managers
    assert with_status("GET", "/v1/keys", refused=False) == admin
    assert with_status("POST", "/v1/keys", refused=False) == admin
    assert with_status("POST", "/v1/policies/validate", refused=False) == managers
