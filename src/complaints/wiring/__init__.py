"""The composition root: settings become a service, a clock, an application and its loops. Annexes join here."""

from complaints.wiring.annexes import describe_unknown_settings, open_annexes
from complaints.wiring.application import build_app, openapi_document, settle
from complaints.wiring.attachments import open_attachment_store, open_scanner
from complaints.wiring.checking import check
from complaints.wiring.clocks import wall_clock, wall_now
from complaints.wiring.database import name_of
from complaints.wiring.files import read_text
from complaints.wiring.listening import listen
from complaints.wiring.loops import (
    build_heartbeat,
    build_loops,
    end_loops,
    open_import_worker,
    start_loops,
)
from complaints.wiring.mail import read_mail_account
from complaints.wiring.measures import measure_work, serve_measures
from complaints.wiring.not_ready import NotReady
from complaints.wiring.openid import open_openid_sign_in
from complaints.wiring.service import (
    KEY_FILE,
    FirstKey,
    migrate_and_seed,
    new_id,
    open_replica,
    open_service,
    opened,
    prepare,
)

__all__ = [
    "KEY_FILE",
    "FirstKey",
    "NotReady",
    "build_app",
    "build_heartbeat",
    "build_loops",
    "check",
    "describe_unknown_settings",
    "end_loops",
    "listen",
    "measure_work",
    "migrate_and_seed",
    "name_of",
    "new_id",
    "open_annexes",
    "open_attachment_store",
    "open_import_worker",
    "open_openid_sign_in",
    "open_replica",
    "open_scanner",
    "open_service",
    "openapi_document",
    "opened",
    "prepare",
    "read_mail_account",
    "read_text",
    "serve_measures",
    "settle",
    "start_loops",
    "wall_clock",
    "wall_now",
]
