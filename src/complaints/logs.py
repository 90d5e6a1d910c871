"""Logs as one JSON object a line, on standard error, for our own lines and those of libraries alike."""

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logging(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send every log line of this process, ours and the libraries', as JSON to `stream` or standard error.

    A line carries what is bound to its context, such as `request_id`. Exceptions are told by type and place;
    their messages are left out, since they may quote personal data. Without a `stream` it is meant to be
    called once: loggers that are in use already keep what they were given.
    """
    out = stream if stream is not None else sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt=None),
        _spell_time,
        _tell_exception,
        _drop_nothings,
    ]
    structlog.configure(
        processors=[*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=stream is None,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(set()), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(max(level, logging.WARNING))
    # It tells every tick, and warns of each that comes while the one before still works.
    logging.getLogger("apscheduler").setLevel(max(level, logging.ERROR))
    # They log every address they call, with its query.
    for chatty in ("httpx2", "httpcore2"):
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))


# Every request writes a line: an encoder made once, and a second spelled once, halve what it costs.
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=repr).encode


def _render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _encode(event)


@lru_cache(maxsize=4)
def _spell_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _spell_time(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    second, part = divmod(event["timestamp"], 1)
    event["timestamp"] = f"{_spell_second(int(second))}.{int(part * 1000):03}Z"
    return event


def _drop_nothings(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if value is not None}


def _tell_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    exc_info = _exc_info(event)
    if exc_info is not None:
        event["raised"] = told(exc_info[1])
    return event


def _exc_info(event: MutableMapping[str, Any]) -> _ExcInfo | None:
    given = event.pop("exc_info", None)
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    found = sys.exc_info() if given is True else given
    return found if isinstance(found, tuple) and found[1] is not None else None


def told(error: BaseException) -> list[dict[str, Any]]:
    """An exception and those it came from, outermost first, as a log may tell them: no messages."""
    return [_told(one) for one in _chain(error)]


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in chain:
        chain.append(here)
        here = here.__cause__ or (None if here.__suppress_context__ else here.__context__)
    return chain


def _told(error: BaseException) -> dict[str, Any]:
    """An exception's type and frames. An error of the system keeps its message, which quotes no content."""
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    told: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "frames": frames[-30:],
    }
    if isinstance(error, OSError):
        told["message"] = f"{error.errno} {error.strerror}"
    return told
