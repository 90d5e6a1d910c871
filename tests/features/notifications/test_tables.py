"""The database refuses rows that contradict themselves, and a message that is there."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from complaints.features.notifications import tables
from complaints.features.notifications.delivery_use_cases import enqueue
from complaints.features.notifications.model import MessageChannel
from complaints.features.notifications.preferences import NotificationPreference
from complaints.features.notifications.tables.preferences import write_preference
from complaints.use_cases.service import Service
from tests.features.notifications.test_sending import new

_NULL_ATTEMPT = "UPDATE message_delivery SET next_attempt_at = NULL"
_MOOT = "UPDATE message_delivery SET status = 'moot', next_attempt_at = NULL"
_OTHER_ROBOT = """
INSERT INTO robot (code, kind, url, teams, language, active, sent_at, updated_at)
VALUES ('x', 'slack', 'u', '[]', 'en', TRUE, '[]', '2026-01-05 00:00:00')
"""
_MAIL = """
INSERT INTO received_mail (id, mailbox, taken_at, validity, uid, fate, files, files_kept)
VALUES ('00000000000000000000000000000001', 'box', '2026-01-05 00:00:00', 1, 1, {})
"""
_ENDED = "next_attempt_at = NULL, settled_at = created_at"
REFUSED = [
    (_NULL_ATTEMPT, "ck_message_delivery__next_attempt"),
    (_MOOT, "ck_message_delivery__settled"),
    ("UPDATE message_delivery SET channel = NULL", "ck_message_delivery__channel"),
    ("UPDATE message_delivery SET attempts = -1", "ck_message_delivery__counts"),
    (f"UPDATE message_delivery SET status = 'read', {_ENDED}", "ck_message_delivery__message_status"),
    ("UPDATE message_delivery SET channel = 'fax'", "ck_message_delivery__message_channel"),
    ("UPDATE message_delivery SET audience = 'press'", "ck_message_delivery__audience"),
    ("UPDATE message_delivery SET receipt = 'read'", "ck_message_delivery__receipt_status"),
    ("UPDATE notification_preference SET quiet_from = '22:00'", "ck_notification_preference__quiet"),
    (
        "UPDATE notification_preference SET immediate_level = -1",
        "ck_notification_preference__immediate_level",
    ),
    (
        "UPDATE notification_preference SET remind_every_seconds = 0",
        "ck_notification_preference__remind_every",
    ),
    (_OTHER_ROBOT, "ck_robot__robot_kind"),
    (_MAIL.format("'lost', 0, 0"), "ck_received_mail__mail_fate"),
    (_MAIL.format("'contact', 0, 0"), "ck_received_mail__complaint"),
    (_MAIL.format("'loop', 1, 2"), "ck_received_mail__files"),
]


def test_the_database_refuses_what_contradicts_itself(sender: Service) -> None:
    asked = replace(new(), channels=(MessageChannel.MAIL,))
    sender.write(lambda tx: enqueue(sender, tx, asked))
    sender.write(lambda tx: write_preference(tx, "admin", NotificationPreference()))
    known = {
        constraint.name
        for table in tables.metadata.sorted_tables
        for constraint in table.constraints
        if (constraint.name or "").startswith("ck_")
    }
    assert known == {constraint for _, constraint in REFUSED}
    for statement, constraint in REFUSED:
        with pytest.raises(IntegrityError) as refused, sender.database.engine.begin() as connection:
            connection.execute(text(statement))
        assert constraint in str(refused.value.orig), statement
