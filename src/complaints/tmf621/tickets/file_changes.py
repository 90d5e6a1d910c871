"""Files that a change of a ticket brings with it. They become attachments of the complaint, which stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from complaints.domain.complaint.attachments import Attachment
from complaints.domain.errors import Conflict
from complaints.tmf621.editions import Members
from complaints.tmf621.tickets.files import kept_attachments
from complaints.tmf621.tickets.schemas import TicketChange
from complaints.tmf621.tickets.ticket_patches import is_same
from complaints.use_cases.attachments.adding import Upload
from complaints.use_cases.service import Transaction

ATTACHMENTS = "attachment"


@dataclass(frozen=True, slots=True)
class ChangedFiles:
    """The uploads of the files of a change, in their order. `recorded` are those that the transaction recorded."""

    uploads: Sequence[Upload] = ()
    recorded: list[Upload] = field(default_factory=list)

    def record(
        self, tx: Transaction, reference: str, present: Sequence[Attachment], after: TicketChange
    ) -> list[UUID]:
        """Record the files, except those that the complaint has already. Returns their ids as attachments.

        Raises Conflict for content without an upload: only a merge patch brings files.
        """
        self.recorded.clear()  # of a try that lost a race
        sent = [one for one in after.attachment or () if getattr(one, "content", None)]
        if len(sent) != len(self.uploads):
            raise Conflict("The content of a file can only be sent in a merge patch.")
        known = {one.digest: one.id for one in present}
        for upload in self.uploads:
            if upload.digest not in known:
                known[upload.digest] = upload.record(tx, reference).id
                self.recorded.append(upload)
        return [known[upload.digest] for upload in self.uploads]


def attachments_to_keep(
    after: TicketChange,
    file_ids: Sequence[UUID],
    shown: Sequence[Members],
    present: Sequence[Attachment],
    kept: Sequence[Mapping[str, object]],
) -> list[Members]:
    """The attachments to keep. An attachment of the complaint that comes back as `shown` is kept as it was, if at all.

    `present` are the attachments of the complaint, and `kept` those that were kept before.
    """
    own = {str(one.id) for one in present}
    before = {one.get("id"): dict(one) for one in kept}
    found = []
    for members in kept_attachments(after.attachment or (), file_ids):
        is_back = members.get("id") in own and any(is_same(members, one) for one in shown)
        if not is_back:
            found.append(members)
        elif members["id"] in before:
            found.append(before[members["id"]])
    return found
