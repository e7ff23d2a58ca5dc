"""The range of time that a question about logs or metrics is about."""

from __future__ import annotations

import datetime

from starlette.requests import Request

from twin.doubles.render.answers import Problem, moment

HOUR = datetime.timedelta(hours=1)


def range_of(request: Request) -> tuple[datetime.datetime, datetime.datetime]:
    """First and last moment asked about, by default the last hour; raises Problem."""
    last = moment(request, "endTime") or datetime.datetime.now(datetime.UTC)
    first = moment(request, "startTime") or last - HOUR
    if first > last:
        raise Problem(400, "startTime must be before endTime")
    return first, last
