"""Messages that go over HTTP: posted by the guarded client, and what their answers mean."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from coldshelf.deliveries.models import (
    LARGEST_ANSWER,
    LONGEST_RETRY_AFTER,
    WITHIN,
    Answer,
    Parcel,
    State,
    Verdict,
)
from coldshelf.kit.runtime import Runtime

GONE = 410


async def post(run: Runtime, parcel: Parcel) -> Answer:
    """Post a parcel by the guarded client."""
    reply = await run.outgoing.send(
        "POST", parcel.address, body=parcel.body, headers=parcel.headers, largest=LARGEST_ANSWER, within=WITHIN
    )
    return Answer(status=reply.status, text=reply.body.decode(errors="replace"), headers=reply.headers)


def judge_http(answer: Answer, sent_on: datetime) -> Verdict:
    """Take every status from 200 to 299 for arrived, 410 for gone, and all else for worth another attempt."""
    if answer.status in range(200, 300):
        return Verdict(state=State.DELIVERED)
    is_gone = answer.status == GONE
    return Verdict(
        state=State.FAILED if is_gone else State.WAITING,
        error=f"Status {answer.status}",
        is_gone=is_gone,
        again_after=retry_after(answer.headers, sent_on),
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta:
    """Read `Retry-After`, seconds or a date; at most a day, nothing when it cannot be read."""
    said = next((value.strip() for name, value in headers.items() if name.lower() == "retry-after"), "")
    if said.isdecimal():
        wait = timedelta(seconds=min(int(said), int(LONGEST_RETRY_AFTER.total_seconds())))
    else:
        try:
            moment = parsedate_to_datetime(said)
        except ValueError:
            return timedelta(0)
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)
