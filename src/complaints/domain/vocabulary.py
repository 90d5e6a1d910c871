"""The closed sets of values in the domain. If the order of a set has a meaning, it is the order here."""

from enum import StrEnum


class Status(StrEnum):
    """Where a complaint stands in its life."""

    RECEIVED = "received"
    INVESTIGATING = "investigating"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    FOLLOWING_UP = "following_up"
    CLOSED = "closed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


OPEN_STATUSES = frozenset(
    {Status.RECEIVED, Status.INVESTIGATING, Status.ON_HOLD, Status.RESOLVED, Status.FOLLOWING_UP}
)


class Action(StrEnum):
    """What may be done to a complaint."""

    ASSIGN = "assign"
    RESPOND = "respond"
    HOLD = "hold"
    RESUME = "resume"
    RESOLVE = "resolve"
    NOTIFY_RESULT = "notify_result"
    RECORD_CONTACT = "record_contact"
    REOPEN = "reopen"
    CLOSE = "close"
    ESCALATE = "escalate"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    MERGE = "merge"
    UNMERGE = "unmerge"


class DeadlineKind(StrEnum):
    """Which clock of a complaint."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"
    FOLLOW_UP = "follow_up"
    CLOSURE = "closure"
    PROMISE = "promise"


_DEADLINE_KINDS = {kind.value: kind for kind in DeadlineKind}


def find_kind(name: str) -> str:
    """The built-in kind of deadlines with this name. Any other name stands for itself: an own kind of a policy."""
    return _DEADLINE_KINDS.get(name, name)


class DeadlineStart(StrEnum):
    """What starts an own deadline, which the policy adds to the built-in kinds (rule 4.8)."""

    RECEIPT = "receipt"
    ASSIGN = "assign"
    ROUTE = "route"
    RESULT = "result"
    CONTACT = "contact"


class DeadlineStatus(StrEnum):
    """`breached` is past due and still unmet; `met_late` is met after it was breached."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    MET_LATE = "met_late"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Most pressing first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class PriorityReason(StrEnum):
    """Why a complaint has its priority: the first two give its beginning, each other one raised it by a level."""

    GIVEN = "given"
    SEVERITY = "severity"
    VULNERABLE = "vulnerable"
    REPEAT = "repeat"
    REGULATOR = "regulator"
    LADDER = "ladder"
    MERGE = "merge"


class Severity(StrEnum):
    """How bad it is for the complainant, as told at intake."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Channel(StrEnum):
    """How the complaint came in."""

    PHONE = "phone"
    WEB = "web"
    APP = "app"
    EMAIL = "email"
    SMS = "sms"
    SOCIAL = "social"
    ON_SITE = "on_site"
    LETTER = "letter"
    REGULATOR = "regulator"
    IMPORT = "import"
    API = "api"


class ContactChannel(StrEnum):
    """How the complainant was contacted."""

    PHONE = "phone"
    WEB = "web"
    APP = "app"
    EMAIL = "email"
    SMS = "sms"
    SOCIAL = "social"
    ON_SITE = "on_site"
    LETTER = "letter"


class Cause(StrEnum):
    """Handbook 5.1."""

    TECHNICAL = "technical"
    SERVICE = "service"
    MANAGEMENT = "management"


class Nature(StrEnum):
    """Handbook 3.1."""

    TECHNICAL = "technical"
    PROCESS = "process"
    PERSONNEL = "personnel"
    ENVIRONMENT = "environment"


class HoldReason(StrEnum):
    """Why work waits."""

    AWAITING_COMPLAINANT = "awaiting_complainant"
    AWAITING_THIRD_PARTY = "awaiting_third_party"
    OUTAGE = "outage"


class Outcome(StrEnum):
    """Whether the complaint was right."""

    UPHELD = "upheld"
    PARTLY_UPHELD = "partly_upheld"
    NOT_UPHELD = "not_upheld"


class ContactOutcome(StrEnum):
    """What a contact brought."""

    SOLVED = "solved"
    NOT_SOLVED = "not_solved"
    UNREACHABLE = "unreachable"


class RecipientRole(StrEnum):
    """Who hears of an escalation step, lowest first."""

    ASSIGNEE = "assignee"
    FIRST_OWNER = "first_owner"
    TEAM_LEAD = "team_lead"
    DEPARTMENT_HEAD = "department_head"
    EXECUTIVE = "executive"


class AccessRole(StrEnum):
    """What a key may do."""

    INTAKE = "intake"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMIN = "admin"


class UserScope(StrEnum):
    """The complaints that a user may know of. `own`: those that the user works on, owns or was notified of."""

    ALL = "all"
    DEPARTMENTS = "departments"
    TEAMS = "teams"
    OWN = "own"
    SOURCES = "sources"


class LinkType(StrEnum):
    """How two complaints belong together."""

    DUPLICATE_OF = "duplicate_of"
    RECURRENCE_OF = "recurrence_of"
    RELATED = "related"


class Visibility(StrEnum):
    """For whom an attachment is: `internal` for staff alone, `public` for the poster of the complaint too."""

    INTERNAL = "internal"
    PUBLIC = "public"


class AttachmentStatus(StrEnum):
    """What the scanner says of an attachment. `quarantined`: no answer yet, or it found something."""

    UNSCANNED = "unscanned"
    QUARANTINED = "quarantined"
    CLEAN = "clean"


class AuditSubject(StrEnum):
    """The kinds of configuration in the audit log."""

    USER = "user"
    TEAM = "team"
    DEPARTMENT = "department"
    CATEGORY = "category"
    CALENDAR = "calendar"
    POLICY = "policy"
    KEY = "key"
    DUTY = "duty"
    PASSWORD = "password"  # noqa: S105 - a word, no secret
    PROVIDER_IDENTITY = "provider_identity"
    TICKET_SPECIFICATION = "ticket_specification"


class SignInMethod(StrEnum):
    """How a user signed in."""

    PASSWORD = "password"  # noqa: S105 - a word, no secret
    OIDC = "oidc"


class AuditAction(StrEnum):
    """An entry of the audit log. `found`: the subject is older than the log, or came with a fresh database."""

    CREATED = "created"
    CHANGED = "changed"
    FOUND = "found"


class AccessKind(StrEnum):
    """An entry of the access log: why persons were shown in clear.

    `reveal`: a caller who sees masks gave a reason. `export`: a caller exported complaints with their persons.
    """

    REVEAL = "reveal"
    EXPORT = "export"


class AssignmentMethod(StrEnum):
    """How a policy chooses the assignee of a complaint that enters a team (rule 5.9)."""

    ROUND_ROBIN = "round_robin"
    FEWEST_OPEN = "fewest_open"


class ContactAfterEnd(StrEnum):
    """What a contact does to a complaint that has ended: reopen it, or make a new complaint."""

    REOPEN = "reopen"
    NEW = "new"


class EventType(StrEnum):
    """What the history tells, named `subject.happening`."""

    CREATED = "complaint.created"
    IMPORTED_ENDED = "complaint.imported_ended"
    UPDATED = "complaint.updated"
    ASSIGNED = "complaint.assigned"
    RESPONDED = "complaint.responded"
    HELD = "complaint.held"
    RESUMED = "complaint.resumed"
    RESOLVED = "complaint.resolved"
    RESULT_NOTIFIED = "complaint.result_notified"
    CONTACT_RECORDED = "complaint.contact_recorded"
    REOPENED = "complaint.reopened"
    CLOSED = "complaint.closed"
    REJECTED = "complaint.rejected"
    WITHDRAWN = "complaint.withdrawn"
    MERGED = "complaint.merged"
    UNMERGED = "complaint.unmerged"
    NOTE_ADDED = "complaint.note_added"
    ATTACHMENT_ADDED = "complaint.attachment_added"
    ATTACHMENT_INFECTED = "complaint.attachment_infected"
    LINKED = "complaint.linked"
    UNLINKED = "complaint.unlinked"
    REPLANNED = "complaint.replanned"
    CONTACT_REPEATED = "complaint.contact_repeated"
    EXTERNAL_ID_MOVED = "complaint.external_id_moved"
    ERASED = "complaint.erased"
    PROMISE_MADE = "promise.made"
    PROMISE_KEPT = "promise.kept"
    ESCALATED = "complaint.escalated"
    ESCALATION_ACKNOWLEDGED = "escalation.acknowledged"
    DEADLINE_WARNING = "deadline.warning"
    DEADLINE_BREACHED = "deadline.breached"
    DEADLINE_MET = "deadline.met"
    FOLLOW_UP_DUE = "follow_up.due"
