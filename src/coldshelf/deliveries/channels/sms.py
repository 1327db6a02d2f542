"""SMS: a text to a phone, by Twilio."""

from collections.abc import Mapping
from datetime import datetime

from coldshelf.deliveries.messages.writing import write_message
from coldshelf.deliveries.models import SMS, Answer, Delivery, Parcel, Verdict
from coldshelf.deliveries.posting import judge_http, post
from coldshelf.deliveries.sms import service as sms
from coldshelf.deliveries.sms import twilio
from coldshelf.deliveries.sms.text import cut, plain, segments_of
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.runtime import Runtime


class Sms:
    """The event as a text to a person."""

    name = SMS
    ends_when_failing = False

    async def pack(self, run: Runtime, around: Surroundings, delivery: Delivery, sent_on: datetime) -> Parcel:
        message = await write_message(run, around, delivery, sent_on)
        text = f"{message.subject}\n{message.text}".strip()
        if run.settings.sms_plain:
            text = plain(text)
        most = run.settings.sms_most_segments
        text = cut(text, most, _tail(message.links, most))
        callback = sms.status_url(run.settings, delivery)
        body = twilio.message_form(run.settings.sms_from, message.address, text, callback)
        return Parcel(address=message.address, body=body)

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


def _tail(links: Mapping[str, str], most: int) -> str:
    """Give the links as lines, as many of the first ones as leave room: half a link leads nowhere."""
    lines = [f"\n{plain(title)}: {link}" for title, link in links.items()]
    while lines and len(segments_of("..." + "".join(lines))) > most:
        lines.pop()
    return "".join(lines)
