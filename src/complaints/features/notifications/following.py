"""The follower of the history that writes what the staff shall hear (rules 10.1 to 10.5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self
from uuid import UUID

from complaints.api.feature import Annexes, Notice
from complaints.domain.rules.duty import find_on_duty
from complaints.domain.vocabulary import EventType
from complaints.features.notifications.complainants.planning import enqueue_for_complainants
from complaints.features.notifications.delivery_use_cases import NAME, enqueue
from complaints.features.notifications.hearing import (
    Hearing,
    facts_of,
    is_step,
    list_hearings,
    template_of,
)
from complaints.features.notifications.model import (
    ROBOT_PREFIX,
    Audience,
    MessageChannel,
    MessageDelivery,
    MessageStatus,
    NewDelivery,
)
from complaints.features.notifications.preferences import (
    NotificationPreference,
    choose_channels,
    choose_reminder_time,
    choose_time,
)
from complaints.features.notifications.rules import Settlement
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.tables.preferences import find_preferences
from complaints.features.notifications.tables.robots import Robot, find_robots
from complaints.features.notifications.tables.topics import find_topics
from complaints.features.notifications.topics import Topic, find_topic
from complaints.use_cases.complaints.history import EventRecord
from complaints.use_cases.following import follow
from complaints.use_cases.service import Configuration, Service, Transaction

BATCH = 200
_MINUTE = timedelta(minutes=1)
_TYPES = frozenset(EventType)


def follow_history(service: Service, settings: NotificationSettings, annexes: Annexes) -> int:
    """Write the messages about the next events. An installation that begins to follow leaves out the past."""
    return follow(
        service,
        NAME,
        partial(_handle, service, settings, annexes),
        limit=lambda tx: BATCH if find_usable_channels(service, settings, find_robots(tx)) else 0,
        from_now=True,
    )


def find_usable_channels(
    service: Service, settings: NotificationSettings, robots: Sequence[Robot]
) -> frozenset[MessageChannel]:
    """The channels that this installation has. Without any, nothing is written for anybody."""
    usable = {
        MessageChannel.MAIL: service.mail is not None,
        MessageChannel.SMS: settings.sms_url is not None,
        MessageChannel.ROBOT: any(robot.active for robot in robots),
    }
    return frozenset(channel for channel, is_usable in usable.items() if is_usable)


def _handle(
    service: Service,
    settings: NotificationSettings,
    annexes: Annexes,
    tx: Transaction,
    events: Sequence[EventRecord],
) -> None:
    enqueue_for_complainants(service, settings, tx, events)
    robots = find_robots(tx)
    news = [one for one in events if _is_news(one, annexes)]
    topics = find_topics(tx, news)
    hearings = _list_hearings(service, annexes, tx, news, topics)
    planner = StaffPlanner.read(service, settings, tx, {hearing.login for hearing in hearings})
    planned = [planner.plan(hearing, find_topic(topics, hearing.event)) for hearing in hearings]
    for new in (*planned, *_plan_for_robots(news, robots, topics, tx.now)):
        enqueue(service, tx, new)


def _is_news(event: EventRecord, annexes: Annexes) -> bool:
    return is_step(event) or event.type == EventType.ASSIGNED or bool(_notices_for(annexes, event))


def _list_hearings(
    service: Service,
    annexes: Annexes,
    tx: Transaction,
    events: Sequence[EventRecord],
    topics: Mapping[UUID, Topic],
) -> Sequence[Hearing]:
    directory = service.configuration(tx).directory
    found: list[Hearing] = []
    for event in events:
        topic = find_topic(topics, event)
        owners = topic.owners if topic else None
        found += list_hearings(event, _notices_for(annexes, event), owners, directory, tx.now)
    return found


def _notices_for(annexes: Annexes, event: EventRecord) -> Sequence[Notice]:
    """The notices that annexes declare. Only types of complaints have some."""
    return annexes.notices_for(EventType(event.type)) if event.type in _TYPES else ()


@dataclass(frozen=True, slots=True)
class StaffPlanner:
    """Plans when and how users hear. `usable` are the channels of this installation."""

    configuration: Configuration
    preferences: Mapping[str, NotificationPreference]
    language: str
    usable: frozenset[MessageChannel]
    now: datetime

    @classmethod
    def read(
        cls, service: Service, settings: NotificationSettings, tx: Transaction, logins: Collection[str]
    ) -> Self:
        """What it takes to plan for these users. A user who is a moment old has an address too."""
        usable = find_usable_channels(service, settings, find_robots(tx))
        preferences = find_preferences(tx, logins)
        newest = service.cache.current(tx, certain=bool(logins))
        return cls(newest, preferences, settings.language, usable, tx.now)

    def plan(self, hearing: Hearing, topic: Topic | None) -> NewDelivery:
        """The message to a user about an event."""
        event, preference = hearing.event, self.preference_of(hearing.login)
        on_duty = topic is not None and self.is_on_duty(hearing.login, topic.owners.team)
        at = choose_time(preference, hearing.level, self.now, timezone=self.timezone, on_duty=on_duty)
        return NewDelivery(
            event_id=event.id,
            audience=Audience.STAFF,
            recipient=hearing.login,
            template=hearing.template,
            language=preference.language,
            channels=self.channels_of(hearing.login),
            due_at=at.due_at,
            level=hearing.level,
            digest=at.digest,
            complaint_id=event.complaint_id,
            subject_id=event.subject_id,
            escalation_id=hearing.escalation_id,
            facts=dict(hearing.facts),
        )

    def plan_at_once(
        self, event_id: UUID, login: str, template: str, facts: Mapping[str, Any]
    ) -> NewDelivery:
        """The answer to something that the user began: it waits for no digest, but for the end of quiet hours."""
        preference = self.preference_of(login)
        urgent = preference.immediate_level
        at = choose_time(preference, urgent, self.now, timezone=self.timezone, on_duty=False)
        return NewDelivery(
            event_id=event_id,
            audience=Audience.STAFF,
            recipient=login,
            template=template,
            language=preference.language,
            channels=self.channels_of(login),
            due_at=at.due_at,
            facts=dict(facts),
        )

    @property
    def timezone(self) -> str:
        """The zone of the policy in force, for users who chose none."""
        return self.configuration.policy_at(self.now).timezone

    def preference_of(self, login: str) -> NotificationPreference:
        """The preference of a user, or the usual one."""
        return self.preferences.get(login) or NotificationPreference(language=self.language)

    def channels_of(self, login: str) -> tuple[MessageChannel, ...]:
        """The channels on which a user can be reached, in the order of the user."""
        user = self.configuration.directory.users.get(login)
        return choose_channels(self.preference_of(login), user, self.usable)

    def is_on_duty(self, login: str, team: str) -> bool:
        """True if the user is on duty for the team now: quiet hours then hold back nothing (rule 10.3)."""
        policy = self.configuration.policy_at(self.now)
        return login in find_on_duty(team, self.configuration.directory, policy, self.now)


def _plan_for_robots(
    events: Sequence[EventRecord],
    robots: Sequence[Robot],
    topics: Mapping[UUID, Topic],
    now: datetime,
) -> Sequence[NewDelivery]:
    """What the robots of teams hear: steps from level 1 on at once, the others gathered by the minute (rule 10.7)."""
    next_minute = now.replace(second=0, microsecond=0) + _MINUTE
    return [
        NewDelivery(
            event_id=event.id,
            audience=Audience.STAFF,
            recipient=f"{ROBOT_PREFIX}{robot.code}",
            template=template_of(event),
            language=robot.language,
            channels=(MessageChannel.ROBOT,),
            due_at=now if event.data["level"] > 0 else next_minute,
            level=event.data["level"],
            complaint_id=event.complaint_id,
            subject_id=event.subject_id,
            escalation_id=UUID(event.data["escalation_id"]),
            facts=facts_of(event),
        )
        for event in events
        if is_step(event) and (topic := find_topic(topics, event)) is not None
        for robot in robots
        if robot.active and topic.owners.team in robot.teams
    ]


def plan_reminder(
    service: Service,
    settings: NotificationSettings,
    tx: Transaction,
    delivery: MessageDelivery,
    settlement: Settlement,
) -> None:
    """Write the next reminder of an escalation, once a user was reached or could not be reached (rule 10.4)."""
    is_over = settlement.status in (MessageStatus.ACCEPTED, MessageStatus.UNDELIVERED)
    if not is_over or delivery.escalation_id is None or delivery.recipient.startswith(ROBOT_PREFIX):
        return
    planner = StaffPlanner.read(service, settings, tx, {delivery.recipient})
    topic = find_topic(find_topics(tx, [delivery]), delivery)
    on_duty = topic is not None and planner.is_on_duty(delivery.recipient, topic.owners.team)
    at = choose_reminder_time(
        planner.preference_of(delivery.recipient), tx.now, timezone=planner.timezone, on_duty=on_duty
    )
    if at is None:
        return
    again = {name: getattr(delivery, name) for name in NewDelivery.__dataclass_fields__} | {
        "channels": planner.channels_of(delivery.recipient),
        "due_at": at,
        "digest": False,
        "repetition": delivery.repetition + 1,
    }
    enqueue(service, tx, NewDelivery(**again))
