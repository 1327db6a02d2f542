"""SMS: a text to a phone, by Twilio."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from coldshelf.deliveries import sms, twilio
from coldshelf.deliveries.models import SMS, Answer, Delivery, Parcel, Verdict
from coldshelf.deliveries.posting import judge_http, post
from coldshelf.deliveries.sms_text import cut, plain
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.runtime import Runtime


class Written(Protocol):
    """What a person is to read; `link` is empty where there is none."""

    @property
    def address(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def link(self) -> str: ...


Write = Callable[[Runtime, Surroundings, Delivery, datetime], Awaitable[Written]]
"""Finds the words of a delivery and whom they reach; raises Withheld."""


class Sms:
    """The event as a text to a person."""

    name = SMS
    ends_when_failing = False

    def __init__(self, write: Write) -> None:
        self._write = write

    async def pack(self, run: Runtime, around: Surroundings, delivery: Delivery, sent_on: datetime) -> Parcel:
        written = await self._write(run, around, delivery, sent_on)
        text = f"{written.subject}\n{written.text}".strip()
        if run.settings.sms_plain:
            text = plain(text)
        tail = f"\n{written.link}" if written.link else ""
        text = cut(text, run.settings.sms_most_segments, tail)
        callback = sms.status_url(run.settings, delivery)
        return Parcel(
            address=written.address, body=twilio.message_form(run.settings.sms_from, written.address, text, callback)
        )

    async def carry(self, run: Runtime, delivery: Delivery, parcel: Parcel) -> Answer:
        account = sms.account_of(run.settings)
        draft = sms.draft_of(delivery.id, parcel.address, twilio.text_of(parcel.body), run.clock.now())
        await sms.reserve(run, delivery.client_id, draft)
        answer = await post(
            run, Parcel(address=f"{account.messages_url}.json", body=parcel.body, headers=account.headers)
        )
        await sms.note_answer(run, delivery.client_id, draft, answer)
        return answer

    def judge(self, answer: Answer, sent_on: datetime) -> Verdict:
        return twilio.judge(answer, judge_http(answer, sent_on))
