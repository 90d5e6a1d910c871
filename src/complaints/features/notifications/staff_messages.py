"""The messages to the staff: who gets which deliveries, by which address, in which words."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from complaints.domain.staff import User
from complaints.features.notifications import robots
from complaints.features.notifications.model import (
    ROBOT_PREFIX,
    Message,
    MessageChannel,
    MessageDelivery,
    MessageRefusal,
)
from complaints.features.notifications.preferences import NotificationPreference, find_address
from complaints.features.notifications.sending import Parcel
from complaints.features.notifications.tables.preferences import find_preferences
from complaints.features.notifications.tables.robots import Robot, find_robot, note_sent
from complaints.features.notifications.tables.topics import find_topics, find_waiting_escalations
from complaints.features.notifications.texts import (
    StaffText,
    TextWriter,
    match_language,
    name_kind,
    name_priority,
    write_local_time,
)
from complaints.features.notifications.topics import Topic, find_topic
from complaints.use_cases.service import Configuration, Service, Transaction

_DEFAULT = NotificationPreference()
_NO_ADDRESS = MessageRefusal("The recipient has no address on this channel any more.")


@dataclass(frozen=True, slots=True)
class StaffMessages:
    """What all messages of a batch are made of. `public_url` is the begin of links.

    `waiting` has the due times of the escalations that somebody must still look at.
    """

    configuration: Configuration
    preferences: Mapping[str, NotificationPreference]
    topics: Mapping[UUID, Topic]
    waiting: Mapping[UUID, datetime | None]
    writer: TextWriter
    public_url: str | None
    now: datetime

    @classmethod
    def read(
        cls, service: Service, tx: Transaction, deliveries: Sequence[MessageDelivery], writer: TextWriter
    ) -> "StaffMessages":
        """Everything that these deliveries need, by a statement of each kind."""
        escalations = {one.escalation_id for one in deliveries if one.escalation_id}
        return cls(
            service.cache.current(tx, certain=True),  # else a user who is a moment old would have no address
            find_preferences(tx, {one.recipient for one in deliveries}),
            find_topics(tx, deliveries),
            find_waiting_escalations(tx, escalations),
            writer,
            service.public_url,
            tx.now,
        )

    def is_moot(self, delivery: MessageDelivery) -> bool:
        """True if nobody has to act any more: the escalation was acknowledged, or it is settled (rule 10.4)."""
        return delivery.escalation_id is not None and delivery.escalation_id not in self.waiting

    def preference_of(self, login: str) -> NotificationPreference:
        """The preference of a user, or the usual one."""
        return self.preferences.get(login, _DEFAULT)

    def address_of(self, delivery: MessageDelivery) -> str | None:
        """The address of the recipient on the present channel."""
        if delivery.recipient.startswith(ROBOT_PREFIX):
            return delivery.recipient.removeprefix(ROBOT_PREFIX)
        assert delivery.channel is not None  # a leased delivery has one
        user: User | None = self.configuration.directory.users.get(delivery.recipient)
        return find_address(self.preference_of(delivery.recipient), user, delivery.channel)

    def text_of(self, delivery: MessageDelivery) -> StaffText:
        """The words of a delivery."""
        language, facts = delivery.language, dict(delivery.facts)
        topic = find_topic(self.topics, delivery)
        link = facts.pop("link", None)
        if link is None and topic is not None and delivery.complaint_id is not None:
            link = f"/v1/complaints/{topic.number}"
        if topic is not None:
            facts |= self._about(topic, delivery)
        facts["kind"] = name_kind(facts.get("kind"), language, self.configuration.kind_titles)
        facts |= {"level": delivery.level, "repetition": delivery.repetition}
        whole_link = f"{self.public_url}{link}" if self.public_url and link else None
        return self.writer.write(delivery.template, language, whole_link, facts)

    def _about(self, topic: Topic, delivery: MessageDelivery) -> dict[str, str]:
        language = delivery.language
        policy_zone = self.configuration.policy_at(self.now).timezone
        zone = self.preference_of(delivery.recipient).timezone or policy_zone
        category = self.configuration.categories.get(topic.category or "")
        team = self.configuration.directory.teams.get(topic.owners.team)
        name = match_language(language)
        due_at = self.waiting.get(delivery.escalation_id) if delivery.escalation_id else None
        return {
            "number": topic.number,
            "priority": name_priority(topic.priority, language),
            "category": category.names[name] if category else "",
            "team": team.names[name] if team else topic.owners.team,
            "due": write_local_time(due_at, zone),
            "next_due": write_local_time(topic.next_due_at, zone),
        }


def compose_for_staff(
    service: Service, tx: Transaction, deliveries: Sequence[MessageDelivery], writer: TextWriter
) -> Sequence[Parcel]:
    """The messages of deliveries of one channel. Those of one digest, and of one robot, are gathered."""
    made = StaffMessages.read(service, tx, deliveries, writer)
    moot = [Parcel((one,), None) for one in deliveries if made.is_moot(one)]
    groups: dict[tuple[str, str, UUID | None], list[MessageDelivery]] = defaultdict(list)
    lost = []
    for one in deliveries:
        if made.is_moot(one):
            continue
        address = made.address_of(one)
        if address is None:
            lost.append(Parcel((one,), _NO_ADDRESS))
        elif one.channel is MessageChannel.ROBOT:
            groups[address, "", None].append(one)
        else:
            groups[address, one.recipient, None if one.digest else one.id].append(one)
    return [
        *moot,
        *lost,
        *(parcel for key, own in groups.items() for parcel in _pack(service, tx, made, key[0], own)),
    ]


def _pack(
    service: Service, tx: Transaction, made: StaffMessages, address: str, own: Sequence[MessageDelivery]
) -> Sequence[Parcel]:
    if own[0].channel is not MessageChannel.ROBOT:
        return [_pack_for_user(made, address, own)]
    robot = find_robot(tx, address, lock=True)
    if robot is None or not robot.active:
        return [Parcel(tuple(own), _NO_ADDRESS)]
    return _pack_for_robot(tx, made, robot, own, service.wall())


def _pack_for_user(made: StaffMessages, address: str, own: Sequence[MessageDelivery]) -> Parcel:
    first, texts = own[0], [made.text_of(one) for one in own]
    text = texts[0] if len(texts) == 1 else made.writer.gather(texts, first.language)
    is_mail = first.channel is MessageChannel.MAIL
    message = Message(
        id=first.id,
        audience=first.audience,
        address=address,
        language=first.language,
        title=text.title,
        text=_whole(text) if is_mail else text.line,
        level=max(one.level for one in own),
        html=made.writer.html(text, first.language, texts if len(texts) > 1 else ()) if is_mail else None,
    )
    return Parcel(tuple(own), message)


def _whole(text: StaffText) -> str:
    return f"{text.body}\n\n{text.link}\n" if text.link else f"{text.body}\n"


def _pack_for_robot(
    tx: Transaction, made: StaffMessages, robot: Robot, own: Sequence[MessageDelivery], wall: datetime
) -> Sequence[Parcel]:
    """As few messages as fit, the highest level first, and no more than the robot may get now."""
    is_barred = robots.is_barred(robot.barred_until, wall)
    free = 0 if is_barred else robots.count_free(robot.sent_at, wall)
    ordered = sorted(own, key=lambda one: (-one.level, one.due_at, one.id))
    lines = [_robot_line(made, one) for one in ordered]
    pages = robots.pack_lines(lines, robots.LARGEST_TEXT[robot.account.kind])[:free]
    parcels, left = [], iter(ordered)
    for page in pages:
        packed = tuple(next(left) for _ in page)
        message = Message(
            id=packed[0].id,
            audience=packed[0].audience,
            address=robot.code,
            language=robot.language,
            title=made.text_of(packed[0]).title,
            text="\n\n".join(page),
            level=packed[0].level,
            robot=robot.account,
        )
        parcels.append(Parcel(packed, message))
    if pages:
        note_sent(tx, robot, [*robot.sent_at, *[wall] * len(pages)][-robots.MOST_A_MINUTE :])
    return parcels


def _robot_line(made: StaffMessages, delivery: MessageDelivery) -> str:
    """The title, and for whom it is if a user chose the robot. A link is markdown that all three show as a link."""
    text = made.text_of(delivery)
    is_own = not delivery.recipient.startswith(ROBOT_PREFIX)
    return f"{delivery.recipient}: {text.line}" if is_own else text.line
