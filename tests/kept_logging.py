"""Keeps the logging of the test process. Tests configure it as a process of the product does."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

_CONFIGURED = (None, "complaints", "uvicorn", "apscheduler")


@contextmanager
def kept_logging() -> Iterator[None]:
    """Restore handlers, levels and structlog at the end of the block, so that no later test misses a line."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    levels = [(logging.getLogger(name), logging.getLogger(name).level) for name in _CONFIGURED]
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
        for logger, level in levels:
            logger.setLevel(level)
