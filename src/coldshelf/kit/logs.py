"""Structured logs: one JSON object a line, with the request id where there is one."""

import logging
import sys

import structlog


def configure_logs(level: str, *, human: bool = False) -> None:
    """Send every log line to standard error, as JSON or, for a person at a terminal, as text."""
    renderer = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")


def get_logger(room: str) -> structlog.typing.FilteringBoundLogger:
    return structlog.get_logger(room=room)  # type: ignore[no-any-return]  # structlog's own stub says Any
