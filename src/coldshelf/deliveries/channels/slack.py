"""Slack: a message posted to an incoming webhook."""

from datetime import datetime

import orjson

from coldshelf.deliveries.messages.writing import write_message
from coldshelf.deliveries.models import SLACK, Answer, Delivery, Parcel, State, Verdict
from coldshelf.deliveries.posting import judge_http, post
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.runtime import Runtime

REFUSED = frozenset({400, 413})
"""Slack takes no such message, however often it is sent."""
GONE = frozenset({404, 410})
"""The webhook or its channel is no more."""
LONGEST = 3000
"""Characters: Slack cuts text at 4,000, and what is escaped grows."""


class Slack:
    """The event as a message in a channel."""

    name = SLACK
    ends_when_failing = True

    async def pack(self, run: Runtime, around: Surroundings, delivery: Delivery, sent_on: datetime) -> Parcel:
        message = await write_message(run, around, delivery, sent_on)
        text = f"*{_escaped(message.subject).replace('*', ' ')}*\n{_escaped(message.text)[:LONGEST]}"
        for title, link in message.links.items():
            text += f"\n<{_escaped(link)}|{_escaped(title)}>"
        return Parcel(
            address=message.address, body=orjson.dumps({"text": text}), headers={"content-type": "application/json"}
        )

    async def carry(self, run: Runtime, delivery: Delivery, parcel: Parcel) -> Answer:
        return await post(run, parcel)

    def judge(self, answer: Answer, sent_on: datetime) -> Verdict:
        """Take 200 for arrived, 404 and 410 for gone; 429 waits as Retry-After says."""
        error = f"Status {answer.status}: {answer.text}"[:200]
        if answer.status in GONE:
            return Verdict(state=State.FAILED, error=error, is_gone=True)
        if answer.status in REFUSED:
            return Verdict(state=State.FAILED, error=error)
        return judge_http(answer, sent_on)


def _escaped(text: str) -> str:
    """Escape what Slack reads as markup (https://docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
