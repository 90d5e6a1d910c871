"""A client for the REST API of Complaints. Begin with `Client`; the README has a worked example.

`complaints_client.webhooks` helps to receive webhooks; it needs the extra `complaints-client[webhooks]`.
"""

from complaints_client.client import Batch, Client, Posted
from complaints_client.cursor_file import CursorFile
from complaints_client.errors import ClientError, FeedSetBack, NoAnswer, Refusal, StaleVersion
from complaints_client.retrying import Patience
from complaints_client.shapes import (
    Complaint,
    CreatedComplaint,
    Deadline,
    Event,
    FeedEvent,
    Problem,
    ProblemError,
    Status,
)

__all__ = [
    "Client",
    "Patience",
    "Posted",
    "Batch",
    "CursorFile",
    "ClientError",
    "Refusal",
    "StaleVersion",
    "FeedSetBack",
    "NoAnswer",
    "Complaint",
    "CreatedComplaint",
    "Deadline",
    "Event",
    "FeedEvent",
    "Problem",
    "ProblemError",
    "Status",
]
