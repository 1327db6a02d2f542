"""Callbacks: JSON posted to an address, signed by Standard Webhooks."""

from datetime import datetime

from coldshelf.deliveries.models import CALLBACK, TRIGGERED, Answer, Delivery, Parcel, Verdict
from coldshelf.deliveries.payload import write_body
from coldshelf.deliveries.posting import judge_http, post
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.signing import signed_headers


class Callback:
    """The event as JSON to a system."""

    name = CALLBACK
    ends_when_failing = True

    async def pack(self, run: Runtime, around: Surroundings, delivery: Delivery, sent_on: datetime) -> Parcel:
        body = write_body(around, delivery)
        headers = {
            "content-type": "application/json",
            "coldshelf-event": delivery.type,
            "coldshelf-attempt": str(delivery.number),
            **({TRIGGERED: "1"} if delivery.triggered else {}),
            **signed_headers(delivery.secrets, str(delivery.event_id), sent_on, body),
        }
        return Parcel(address=delivery.url, body=body, headers=headers)

    async def carry(self, run: Runtime, delivery: Delivery, parcel: Parcel) -> Answer:
        return await post(run, parcel)

    def judge(self, answer: Answer, sent_on: datetime) -> Verdict:
        return judge_http(answer, sent_on)
