"""The first content of a fresh database: staff, categories, the policy and the first key."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from complaints.domain.policy.categories import Category
from complaints.domain.policy.side_by_side import PoliciesSideBySide
from complaints.domain.vocabulary import AccessRole, AuditSubject
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import api_key as key_rows
from complaints.storage.rows import audit_event, seed
from complaints.storage.rows import configuration as configuration_rows
from complaints.storage.rows import policy as policy_rows
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.configuration import keys
from complaints.use_cases.configuration.changing import finish_change
from complaints.use_cases.policy_document.document import read_policy, to_document
from complaints.use_cases.policy_document.yaml_document import read_yaml
from complaints.use_cases.service import Service

ADMIN = "admin"
BOOTSTRAP = "bootstrap"
BUILT_IN_POLICY = "telecom-handbook"
SeedRow = dict[str, str | dict[str, str] | None]


@dataclass(frozen=True, slots=True)
class SeedData:
    """The reference data of a fresh database. Departments and teams are rows without their head and lead."""

    departments: Sequence[SeedRow]
    teams: Sequence[SeedRow]
    categories: Sequence[Category]


@cache
def load_seed_data() -> SeedData:
    """The reference data in `seed_data.yaml`."""
    text = _shipped_text("use_cases/upkeep/seed_data.yaml")
    return TypeAdapter(SeedData).validate_python(read_yaml(text).data)


def shipped_policy(name: str) -> str:
    """The text of a policy document that comes with the program."""
    return _shipped_text(f"policies/{name}.yaml")


def shipped_policies() -> list[str]:
    """The names of the policy documents that come with the program."""
    files = (resources.files("complaints") / "policies").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def shipped_packs() -> dict[str, list[str]]:
    """The packs of example policies that come with the program: the names of their documents, by pack, in order."""
    packs = (resources.files("complaints") / "policies" / "packs").iterdir()
    return {pack.name: sorted(file.name for file in pack.iterdir()) for pack in sorted(packs, key=str)}


def pack_document(pack: str, name: str) -> str:
    """The text of a document of a pack."""
    return _shipped_text(f"policies/packs/{pack}/{name}")


def _shipped_text(path: str) -> str:
    return resources.files("complaints").joinpath(path).read_text(encoding="utf-8")


def seed_database(tx: Transaction, policy_text: str | None = None) -> bool:
    """Fill a fresh database. Returns False if it was filled before. Raises InvalidContent for a bad policy."""
    if not seed.try_claim(tx):
        return False
    text = policy_text or shipped_policy(BUILT_IN_POLICY)
    data = load_seed_data()
    reading = read_policy(
        text,
        teams={str(team["code"]) for team in data.teams},
        categories={category.code for category in data.categories},
        beside=PoliciesSideBySide(()),
    )
    seed.insert_staff(tx, login=ADMIN, name="Administrator", departments=data.departments, teams=data.teams)
    seed.insert_categories(tx, [asdict(category) for category in data.categories])
    policy_rows.insert_policy(
        tx, reading.policy, text=text, document=to_document(reading.policy), by=SYSTEM.actor
    )
    return True


def begin_audit(tx: Transaction) -> None:
    """Record the parts of the configuration that are not in the audit log yet: after seeding and after migrations."""
    configuration_rows.claim_version(tx)
    audit_event.record_unrecorded(tx, SYSTEM.actor)


def ensure_first_key(service: Service, tx: Transaction, secret: str | None) -> str | None:
    """Make sure that somebody can use the API.

    With `secret`, the key `bootstrap` has this secret afterwards. Without it, a new key is made if there is no
    key yet. Returns the secret of a key that was made now, else None.
    """
    configuration_rows.claim_version(tx)  # so that processes that start at the same time make only one key
    known = {key.name: key for key in key_rows.find_keys(tx)}
    if secret is None and known:
        return None
    if secret is not None and (bootstrap := known.get(BOOTSTRAP)):
        if not key_rows.has_secret(tx, keys.digest_of(secret)):
            key_rows.replace_secret(tx, bootstrap.id, keys.digest_of(secret))
            finish_change(tx, SYSTEM, AuditSubject.KEY, str(bootstrap.id))
        return None
    _, made = keys.create_key(
        service, tx, SYSTEM, name=BOOTSTRAP, roles=[AccessRole.ADMIN], source="api", login=None, secret=secret
    )
    return made
