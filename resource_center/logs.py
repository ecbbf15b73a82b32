"""What the processes write to their logs: events with time and level, tracebacks whole, no address and no token."""

from __future__ import annotations

import logging
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

import structlog
from django.dispatch import receiver
from django.utils.encoding import escape_uri_path
from django_structlog.celery.signals import bind_extra_task_metadata
from django_structlog.signals import bind_extra_request_metadata

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from types import TracebackType

    from django.http import HttpRequest

logger = logging.getLogger(__name__)

# Whatever part of a program writes them, these never reach a log. Links of ours end at a space or a quote.
SECRETS = (
    (re.compile(r"://[^\s/@'\"]+@"), "://[login]@"),
    (re.compile(r"(/newsletter/(?:confirm|preferences|unsubscribe|export|erase|copies)/)[^\s'\"<>]+"), r"\1[token]"),
    (re.compile(r"(/password_reset/confirm/)[^\s'\"<>]+"), r"\1[token]"),
    (re.compile(r"((?:token|key|secret|password|signature)=)[^\s'\"<>&]+", re.IGNORECASE), r"\1[secret]"),
    # From the beginning of a word on, so that the time does not grow with the square of a very long one.
    (re.compile(r"(?<![^\s@<>()\[\]\"',;:\\/=])[^\s@<>()\[\]\"',;:\\/=]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), "[address]"),
)
BEFORE: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def mask(text: str) -> str:
    """The text without mail addresses, tokens of links, logins in URLs, and secrets in queries."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask whatever an event tells: its words, its fields and its traceback."""
    for name, value in event.items():
        if not isinstance(value, bool | int | float | None):
            event[name] = mask(value if isinstance(value, str) else repr(value))
    return event


def formatter(form: str) -> structlog.stdlib.ProcessorFormatter:
    """What turns records into text: `plain` for people, or `json` for machines, one object on each line."""
    plain = structlog.dev.ConsoleRenderer(
        colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=BEFORE,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_event,
            structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else plain,
        ],
    )


def configuration(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING, and structlog's own configuration on the way.

    Args:
        form: as for `formatter`.
        level: the least that our own modules write; libraries tell below WARNING only what DEBUG asks for.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *BEFORE,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    libraries = "WARNING" if level == "INFO" else level
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"masked": {"()": formatter, "form": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "masked"}},
        "root": {"handlers": ["stderr"], "level": libraries},
        "loggers": {
            **{room: {"level": level} for room in ("content", "newsletter", "resource_center")},
            "django": {"handlers": [], "level": libraries},
            # These tell once more what is told already: by django_structlog with the request's id, and by Celery.
            "django.request": {"level": "CRITICAL"},
            "django_structlog.celery": {"level": "CRITICAL"},
            # It raises what it tells: two workers that index one page get in each other's way, and one tries again.
            "modelsearch.index": {"level": "CRITICAL"},
        },
    }


def log_uncaught_exceptions() -> None:
    """Have what ends this process, or a thread of it, logged like everything else."""
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda told: _log_uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def _log_uncaught(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    if error is None or not issubclass(kind, Exception):  # Ctrl-C and the like
        sys.__excepthook__(kind, error or kind(), traceback)
    else:
        logger.critical("An exception that nothing caught.", exc_info=(kind, error, traceback))


@receiver(bind_extra_request_metadata)
def name_the_path(request: HttpRequest, **_signal: Any) -> None:
    """Have every event of a request tell its path, not only its failure."""
    structlog.contextvars.bind_contextvars(path=escape_uri_path(request.path))


@receiver(bind_extra_task_metadata)
def name_the_task(task: Any, **_signal: Any) -> None:
    """Have every event of a task tell which one it is."""
    structlog.contextvars.bind_contextvars(task=task.name)
