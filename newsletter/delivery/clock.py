"""The database's clock, in the words of each database: no two processes disagree about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone


def now() -> str:
    """The present moment, as SQL."""
    if connection.vendor == "postgresql":
        return "statement_timestamp()"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"


def after(seconds: str | float) -> str:
    """That many seconds from now, as SQL; `seconds` is a number or an SQL expression."""
    if connection.vendor == "postgresql":
        return f"statement_timestamp() + ({seconds}) * interval '1 second'"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', ({seconds}) || ' seconds')"


def moment(seconds: float = 0) -> ExpressionWrapper[CombinedExpression]:
    """That many seconds from now, for the ORM."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def read() -> datetime:
    """The present moment, as the database sees it."""
    if connection.vendor != "postgresql":
        return timezone.now()  # The database runs in this process.
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        found: datetime = cursor.fetchone()[0]
        return found
