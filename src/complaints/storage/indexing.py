"""The search index of complaints: the terms of their texts, their number and their persons."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from complaints.domain.complaint.facts import Complaint
from complaints.domain.complaint.members import SEARCHED_NAMES
from complaints.domain.complaint.numbers import number_of
from complaints.domain.complaint.search_terms import index_terms, person_terms
from complaints.storage.database.bulk import Inserts
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import person, search

PersonRows = Mapping[UUID, Sequence[Mapping[str, Any]]]
searched_texts = attrgetter(*SEARCHED_NAMES)


def index_complaints(
    tx: Transaction, inserts: Inserts, complaints: Sequence[Complaint], persons: PersonRows
) -> None:
    """Index complaints. `persons` are the rows of all their persons, by complaint id."""
    indexed = [
        (complaint.sequence, terms_of(complaint, persons.get(complaint.id, ()))) for complaint in complaints
    ]
    search.index_terms(tx, inserts, indexed)


def reindex_complaints(tx: Transaction, complaints: Sequence[Complaint]) -> None:
    """Index complaints again, after their persons changed."""
    inserts = Inserts(tx)
    index_complaints(tx, inserts, complaints, person.find_rows(tx, [one.id for one in complaints]))
    inserts.write()


def terms_of(complaint: Complaint, persons: Sequence[Mapping[str, Any]]) -> list[str]:
    """The terms under which a complaint is found. `persons` are the rows of its persons."""
    texts = (text or "" for text in searched_texts(complaint))
    terms = index_terms(number_of(complaint.sequence), *texts)
    for row in persons:
        terms += person_terms(
            name=row["name"] or "",
            contacts=[row[name] or "" for name in ("email", "email_normal", "account_no", "account_normal")],
            phones=[row[name] or "" for name in ("phone", "phone_e164")],
        )
    return terms
