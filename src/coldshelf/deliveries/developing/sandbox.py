"""A sandbox keeps what would leave, and answers as the other side would: well, or broken in a set way."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email import policy
from email.parser import BytesHeaderParser
from enum import StrEnum
from urllib.parse import parse_qsl

import orjson

from coldshelf.deliveries.developing import outbox_store
from coldshelf.deliveries.models import EMAIL, SMS, WITHIN, Answer, Delivery, Kept, Parcel
from coldshelf.kit.http.errors import AnswerBroken, CallFailed, CallTimedOut, ConnectFailed
from coldshelf.kit.runtime import Runtime

SLOW_FOR = WITHIN * 2 / 3
"""How long a slow receiver takes: less than it may."""
LONGEST_SUBJECT = 200


class Behaviour(StrEnum):
    """How a channel of a sandbox answers."""

    OK = "ok"
    REFUSE = "refuse"
    TIME_OUT = "time_out"
    ERROR = "500"
    GONE = "410"
    SLOW = "slow"
    CUT = "cut"

    @property
    def meaning(self) -> str:
        return MEANINGS[self]


MEANINGS: Mapping[Behaviour, str] = {
    Behaviour.OK: "takes everything",
    Behaviour.REFUSE: "refuses the connection",
    Behaviour.TIME_OUT: "does not answer in time",
    Behaviour.ERROR: "says that it failed: 500; e-mail: 451",
    Behaviour.GONE: "says that nothing is there any more: 410; e-mail: 550; SMS: the number is refused",
    Behaviour.SLOW: "takes everything after 10 s",
    Behaviour.CUT: "cuts the connection in its answer",
}
FAILURES: Mapping[Behaviour, CallFailed] = {
    Behaviour.REFUSE: ConnectFailed("the sandbox refuses the connection"),
    Behaviour.TIME_OUT: CallTimedOut("the sandbox gives no answer in time"),
    Behaviour.CUT: AnswerBroken("the sandbox broke off its answer"),
}
HTTP: Mapping[Behaviour, Answer] = {
    Behaviour.OK: Answer(status=200, text="kept in the sandbox"),
    Behaviour.ERROR: Answer(status=500, text="the sandbox fails"),
    Behaviour.GONE: Answer(status=410, text="the sandbox is gone"),
}
SMTP: Mapping[Behaviour, Answer] = {
    Behaviour.OK: Answer(status=250, text="250 2.0.0 kept in the sandbox"),
    Behaviour.ERROR: Answer(status=451, text="451 4.3.0 the sandbox fails", headers={"stage": "data"}),
    Behaviour.GONE: Answer(status=550, text="550 5.1.1 no such mailbox in the sandbox", headers={"stage": "rcpt"}),
}
TWILIO: Mapping[Behaviour, Answer] = {
    Behaviour.OK: Answer(status=201, text='{"sid": "SM00000000000000000000000000000000", "status": "queued"}'),
    Behaviour.ERROR: HTTP[Behaviour.ERROR],
    Behaviour.GONE: Answer(status=400, text='{"code": 21211, "message": "The sandbox knows no such number"}'),
}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Takes every parcel in place of its channel."""

    slow_for: timedelta = SLOW_FOR

    async def carry(self, run: Runtime, delivery: Delivery, parcel: Parcel) -> Answer:
        """Keep the parcel and answer as its channel is switched; raise what the real one would."""
        async with run.database.scope(delivery.client_id, user_name="sandbox") as connection:
            behaviour = Behaviour((await outbox_store.switches(connection)).get(delivery.channel, Behaviour.OK))
            failure, answer = FAILURES.get(behaviour), answer_of(delivery.channel, behaviour)
            kept = Kept(
                subject=subject_of(delivery.channel, parcel),
                behaviour=behaviour,
                status=None if failure else answer.status,
                error=failure.message if failure else "",
            )
            await outbox_store.add(connection, delivery, parcel, kept)
        if behaviour is Behaviour.SLOW:
            await asyncio.sleep(self.slow_for.total_seconds())
        if failure:
            raise type(failure)(failure.message)
        return answer


def answer_of(channel: str, behaviour: Behaviour) -> Answer:
    """Give what the other side of a channel says when it behaves so."""
    answers = {EMAIL: SMTP, SMS: TWILIO}.get(channel, HTTP)
    return answers.get(behaviour, answers[Behaviour.OK])


def subject_of(channel: str, parcel: Parcel) -> str:
    """Give what a list shows of a message: the subject of a mail, the beginning of a text."""
    if channel == EMAIL:
        found = BytesHeaderParser(policy=policy.default).parsebytes(parcel.body)["subject"]
        return str(found or "")[:LONGEST_SUBJECT]
    if channel == SMS:
        return dict(parse_qsl(parcel.body.decode())).get("Body", "").replace("\n", " ")[:LONGEST_SUBJECT]
    try:
        said = orjson.loads(parcel.body)
    except orjson.JSONDecodeError:
        return ""
    text = said.get("text") if isinstance(said, dict) else None
    return str(text or "").replace("\n", " ")[:LONGEST_SUBJECT]
