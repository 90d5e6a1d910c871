"""What a fresh database starts with: people, teams, categories, the policy, the first key."""

from dataclasses import asdict
from importlib import resources
from typing import Any

from complaints.domain.policy.default_categories import SEED_CATEGORIES
from complaints.domain.vocabulary import AccessRole
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import api_key as key_rows
from complaints.storage.rows import configuration as configuration_rows
from complaints.storage.rows import policy as policy_rows
from complaints.storage.rows import seed
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.configuration import keys
from complaints.use_cases.configuration.policy_document import read_policy, to_document
from complaints.use_cases.service import Service

ADMIN = "admin"
BOOTSTRAP = "bootstrap"
BUILT_IN_POLICY = "telecom-handbook"
_DEPARTMENTS: list[dict[str, Any]] = [
    {"code": "head_office", "names": {"en": "Head office", "zh": "公司总部"}, "parent": None},
    {"code": "network", "names": {"en": "Network department", "zh": "网络部"}, "parent": "head_office"},
    {"code": "service", "names": {"en": "Service department", "zh": "服务部"}, "parent": "head_office"},
    {
        "code": "administration",
        "names": {"en": "Administration", "zh": "综合管理部"},
        "parent": "head_office",
    },
]
_TEAMS: list[dict[str, Any]] = [
    {"code": "operations", "names": {"en": "Operations", "zh": "运维"}, "department": "network"},
    {
        "code": "customer_service",
        "names": {"en": "Customer service", "zh": "客户服务"},
        "department": "service",
    },
    {"code": "management", "names": {"en": "Management", "zh": "经营管理"}, "department": "administration"},
]


def shipped_policy(name: str) -> str:
    """The text of a policy document that comes with the program."""
    return resources.files("complaints").joinpath("policies", f"{name}.yaml").read_text(encoding="utf-8")


def seed_database(tx: Transaction, policy_text: str | None = None) -> bool:
    """Fill a fresh database; False if it was filled before. Raises InvalidContent for a faulty policy."""
    if not seed.try_claim(tx):
        return False
    text = policy_text or shipped_policy(BUILT_IN_POLICY)
    teams = {team["code"] for team in _TEAMS}
    reading = read_policy(text, teams=teams, categories={category.code for category in SEED_CATEGORIES})
    seed.insert_people(tx, login=ADMIN, name="Administrator", departments=_DEPARTMENTS, teams=_TEAMS)
    seed.insert_categories(tx, [asdict(category) for category in SEED_CATEGORIES])
    policy_rows.insert_policy(
        tx, reading.policy, text=text, document=to_document(reading.policy), by=SYSTEM.actor
    )
    return True


def ensure_first_key(service: Service, tx: Transaction, secret: str | None) -> str | None:
    """See that somebody can come in: with `secret`, or else with a new key where there is none yet.

    Returns the secret of a key made now; None if there was nothing to make.
    """
    configuration_rows.claim_version(tx)  # processes that start at once make one key between them
    known = {key.name: key for key in key_rows.find_keys(tx)}
    if secret is None and known:
        return None
    if secret is not None and (bootstrap := known.get(BOOTSTRAP)):
        if not seed.has_secret(tx, keys.digest_of(secret)):
            key_rows.replace_secret(tx, bootstrap.id, keys.digest_of(secret))
            configuration_rows.raise_version(tx)
        return None
    _, made = keys.create_key(
        service, tx, SYSTEM, name=BOOTSTRAP, roles=[AccessRole.ADMIN], source="api", login=None, secret=secret
    )
    return made
