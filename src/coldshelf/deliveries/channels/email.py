"""E-mail: one MIME message handed to the operator's mail server."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from coldshelf.deliveries.errors import NoMailServer
from coldshelf.deliveries.messages.links import unsubscribe_link
from coldshelf.deliveries.messages.mail import mime_of
from coldshelf.deliveries.messages.smtp import STAGE, MailServer, send_mail
from coldshelf.deliveries.messages.writing import write_message
from coldshelf.deliveries.models import EMAIL, WITHIN, Answer, Delivery, Parcel, State, Verdict
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.runtime import Runtime

MOST = 256
"""Mails of one process that are under way at a time: as many as a worker takes, so that none waits for a thread."""


ENHANCED = re.compile(r"\b5\.([0-9]{1,3})\.[0-9]{1,3}\b")
NO_MAILBOX = frozenset({550, 551, 553})


class Email:
    """The event as a mail to a person."""

    name = EMAIL
    ends_when_failing = False

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MOST, thread_name_prefix="mail")

    async def pack(self, run: Runtime, around: Surroundings, delivery: Delivery, sent_on: datetime) -> Parcel:
        message = await write_message(run, around, delivery, sent_on)
        sender = run.settings.mail_from
        domain = sender.rpartition("@")[2]
        body = mime_of(
            message,
            sender=sender,
            message_id=f"<{delivery.event_id}.{delivery.subscription_id or delivery.id}@{domain}>",
            sent_on=sent_on,
            unsubscribe=unsubscribe_link(run, delivery, message.address),
        )
        return Parcel(address=message.address, body=body)

    async def carry(self, run: Runtime, delivery: Delivery, parcel: Parcel) -> Answer:
        settings = run.settings
        if not settings.smtp_host:
            raise NoMailServer
        loop, server = asyncio.get_running_loop(), MailServer.of(settings)
        return await loop.run_in_executor(
            self._threads, send_mail, server, settings.mail_from, parcel.address, parcel.body, WITHIN
        )

    def judge(self, answer: Answer, sent_on: datetime) -> Verdict:
        """Take 2xx for arrived; 5xx of the address or the mail ends it, all else is tried again."""
        if answer.status in range(200, 300):
            return Verdict(state=State.DELIVERED)
        stage = answer.headers.get(STAGE, "rcpt")
        is_final = answer.status in range(500, 600) and stage in {"rcpt", "data"}
        return Verdict(
            state=State.FAILED if is_final else State.WAITING,
            error=f"The mail server said {answer.text}"[:500],
            has_bounced=is_final and stage == "rcpt" and _is_about_address(answer),
        )


def _is_about_address(answer: Answer) -> bool:
    """Say whether a refusal is that of the mailbox, not of who sends (RFC 3463: 5.1 and 5.2 are about it)."""
    enhanced = ENHANCED.search(answer.text)
    return enhanced[1] in {"1", "2"} if enhanced else answer.status in NO_MAILBOX
