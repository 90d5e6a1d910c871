"""What `complaints check` demands of figures."""

from collections.abc import Iterator

from complaints.domain.complaint.numbers import number_of
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.figures import list_without_facts
from complaints.storage.rows import follower
from complaints.use_cases.figures.keeping import FOLLOWER
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.violation import Violation


def check_facts(service: Service) -> Iterator[Violation]:
    """Each complaint whose receipt was followed has facts (rule 6.25)."""

    def read(tx: Transaction) -> list[int]:
        return [*list_without_facts(tx, up_to=follower.find_after(tx, FOLLOWER) or 0)]

    for number in service.read(read):
        message = "figures do not count it: see the log, then run `complaints figures rebuild`"
        yield Violation("figures complete", number_of(number), message)
