"""Logs: one JSON object per line on standard error, for the product and for its libraries."""

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType, new_class
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure_logging(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Write every log line of this process as JSON to `stream`, or to standard error without `stream`.

    A line has the values that are bound to its context, such as `request_id`, and all that `extra` of a call in the
    product gives. An exception is logged with its type and its frames. Its message is left out, because it may quote
    personal data. `level` is for the product and its server; of other libraries only warnings and errors are
    logged. Call this once per process: without `stream`, a logger that is already in use keeps its first
    configuration.
    """
    out = stream if stream is not None else sys.stderr
    structlog.configure(
        wrapper_class=new_class("LineLogger", (_LineWriter, structlog.make_filtering_bound_logger(level))),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=stream is None,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, _add_own_extra, _complete],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in (_OWN, "uvicorn"):
        logging.getLogger(name).setLevel(level)
    # APScheduler warns if a run is due while the run before still lasts.
    logging.getLogger("apscheduler").setLevel(max(level, logging.ERROR))


class _LineWriter(structlog.BoundLoggerBase):
    """Writes a line without the processors of structlog, because every request writes one."""

    def _proxy_to_logger(self, method_name: str, event: str | None = None, **values: Any) -> None:
        line = {**self._context, **values, "event": event}
        self._logger.msg(_encode(_complete(self._logger, method_name, line)))


_OWN = "complaints"
_add_extra = structlog.stdlib.ExtraAdder()


def _add_own_extra(logger: logging.Logger, method: str, event: EventDict) -> EventDict:
    """Add what the product gives as `extra`. Libraries keep theirs: nobody knows what is in it."""
    is_own = event["_record"].name.split(".")[0] == _OWN
    return _add_extra(logger, method, event) if is_own else event


_encode_slowly = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=repr).encode


def _encode(line: EventDict) -> str:
    try:
        return orjson.dumps(line, repr).decode()
    except TypeError:  # half of a character, or a whole number beyond 64 bits
        return _encode_slowly(line)


def _render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return _encode(event)


@lru_cache(maxsize=4)
def _format_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


_stamp = structlog.processors.TimeStamper(fmt=None)


def _complete(logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """The event with its context, level, time and exception, without nulls."""
    structlog.contextvars.merge_contextvars(logger, level, event)
    event["level"] = level
    second, part = divmod(_stamp(logger, level, event)["timestamp"], 1)
    event["timestamp"] = f"{_format_second(int(second))}.{int(part * 1000):03}Z"
    if "exc_info" in event and (exc_info := _exc_info(event)) is not None:
        event["raised"] = describe_exception(exc_info[1])
    return {name: value for name, value in event.items() if value is not None}


def _exc_info(event: MutableMapping[str, Any]) -> _ExcInfo | None:
    given = event.pop("exc_info", None)
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    found = sys.exc_info() if given is True else given
    return found if isinstance(found, tuple) and found[1] is not None else None


def describe_exception(error: BaseException) -> list[dict[str, Any]]:
    """An exception and its causes, outermost first, in the form for logs: without messages."""
    return [_describe(cause) for cause in _chain(error)]


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    here: BaseException | None = error
    while here is not None and here not in chain:
        chain.append(here)
        here = here.__cause__ or (None if here.__suppress_context__ else here.__context__)
    return chain


def _describe(error: BaseException) -> dict[str, Any]:
    """The type and the frames of an exception. An OSError keeps its message: it is a fixed text of the system."""
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
    ]
    description: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "frames": frames[-30:],
    }
    if isinstance(error, OSError):
        description["message"] = f"{error.errno} {error.strerror}"
    return description
