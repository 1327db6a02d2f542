"""What is done about SMS besides sending: who may get one, what it costs, what became of it, who wants none."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from asyncpg import Record

from coldshelf.deliveries.errors import NoSmsAccount, NotTwilio
from coldshelf.deliveries.models import LARGEST_ANSWER, WITHIN, Answer, Delivery, Withheld
from coldshelf.deliveries.sms import store, twilio
from coldshelf.deliveries.sms.text import encoding_of, segments_of
from coldshelf.deliveries.sms.twilio import ENDED, LOST, ON_THE_WAY, OPTED_OUT, Account, Report, Status, Word
from coldshelf.kit.db import Connection
from coldshelf.kit.http.errors import OutgoingFailed
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import Settings

log = get_logger("deliveries")
NEW = "new"
ASK_AFTER = timedelta(minutes=10)
"""Twilio is asked about a message when nothing was heard for so long."""
ASK_FOR = timedelta(days=2)
"""What is not known by then will not be."""
MOST_ASKED = 100
STATUS_PATH = "/api/v1/sms/status"
INBOUND_PATH = "/api/v1/sms/inbound"


def account_of(settings: Settings) -> Account:
    """Give the account that SMS go through; raise NoSmsAccount."""
    if not (settings.sms_account_sid and settings.sms_auth_token and settings.sms_from):
        raise NoSmsAccount
    return Account(
        sid=settings.sms_account_sid,
        token=settings.sms_auth_token.get_secret_value(),
        base=settings.sms_base_url,
    )


def status_url(settings: Settings, delivery: Delivery) -> str:
    """Give where Twilio is to tell what becomes of a message; empty when this installation has no address."""
    base = settings.public_url.rstrip("/")
    return f"{base}{STATUS_PATH}/{delivery.client_id}/{delivery.id}" if base else ""


def draft_of(delivery_id: int, phone: str, text: str, now: datetime) -> store.Draft:
    return store.Draft(
        delivery_id=delivery_id,
        phone=phone,
        month=f"{now.astimezone(UTC):%Y-%m}",
        encoding=encoding_of(text),
        segments=len(segments_of(text)),
    )


async def reserve(run: Runtime, client_id: ClientId, draft: store.Draft) -> None:
    """Count an SMS before it is sent, so that no number of workers is over the cap; raise Withheld."""
    async with run.database.scope(client_id, user_name="deliveries") as connection:
        switch = await store.find_switch(connection)
        if not switch.is_on:
            raise Withheld("The client has switched sms off (MessageSetting)")
        if await store.is_out(connection, draft.phone):
            raise Withheld(twilio.CURES[OPTED_OUT])
        await store.reserve(connection, draft)
        if not await store.count(connection, draft, switch.cap):
            raise Withheld(f"The month's cap of {switch.cap} segments is reached")


async def note_answer(run: Runtime, client_id: ClientId, draft: store.Draft, answer: Answer) -> None:
    """Write down what Twilio said to a message: taken, or refused and so not counted. Raises NotTwilio."""
    is_taken = answer.status in range(200, 300)
    report = twilio.read_report(answer.text) if is_taken else None
    code, now = twilio.error_code(answer.text), run.clock.now()
    async with run.database.scope(client_id, user_name="deliveries") as connection:
        if report is not None:
            await _note(connection, draft.delivery_id, report, now)
            return
        await store.uncount(connection, draft.delivery_id, code)
        if code == OPTED_OUT:
            await store.opt_out(connection, draft.phone, f"Twilio {code}", now)
    if is_taken:
        raise NotTwilio


async def take_report(run: Runtime, client_id: ClientId, delivery_id: int, report: Report) -> None:
    """Write down what became of a message; however often and in which order it is told, it counts once."""
    async with run.database.scope(client_id, user_name="Twilio") as connection:
        await _note(connection, delivery_id, report, run.clock.now())


async def take_word(run: Runtime, phone: str, word: Word, said: str) -> None:
    """Let somebody out of all clients' SMS that texts STOP, and back in by START. Twilio answers them, and HELP."""
    if word is Word.HELP:
        return
    async with run.database.door() as connection:
        clients = await store.writers_to(connection, phone)
    change = store.opt_out if word is Word.STOP else store.opt_in
    for client_id in clients:
        async with run.database.scope(client_id, user_name="Twilio") as connection:
            await change(connection, phone, said.strip().upper()[:20], run.clock.now())


async def catch_up(run: Runtime) -> int:
    """Ask Twilio about messages whose end or price it has not told; give how many were asked about."""
    if not run.settings.sms_account_sid:
        return 0
    account, now = account_of(run.settings), run.clock.now()
    async with run.database.system() as connection:
        taken = await store.take_unsettled(connection, now, now - ASK_AFTER, MOST_ASKED)
    for number, one in enumerate(taken):
        if not await _ask(run, account, one):
            return number
    return len(taken)


async def _ask(run: Runtime, account: Account, one: Record) -> bool:
    """Ask about one message; False when Twilio does not answer just now."""
    url = f"{account.messages_url}/{one['sid']}.json"
    try:
        reply = await run.outgoing.send(
            "GET", url, headers=account.headers, body=None, largest=LARGEST_ANSWER, within=WITHIN
        )
    except OutgoingFailed as error:
        log.warning("sms.not_asked", error=error.message)
        return False
    report = twilio.read_report(reply.body.decode(errors="replace")) if reply.status == 200 else None
    if report is None and reply.status != 404:
        log.warning("sms.not_asked", status=reply.status)
        return False
    async with run.database.scope(ClientId(one["client_id"]), user_name="Twilio") as connection:
        if report is not None:
            await _note(connection, one["delivery_id"], report, run.clock.now())
        is_known = report is None or (report.status in ENDED and report.price is not None)
        if is_known or run.clock.now() - one["sent_on"] > ASK_FOR:
            await store.settle(connection, one["id"])
    return True


async def _note(connection: Connection, delivery_id: int, report: Report, now: datetime) -> None:
    held = await store.lock_message(connection, delivery_id, report.sid)
    if held is None:
        return
    segments = (report.segments or held["segments"]) - held["segments"]
    price = report.price if report.price is not None and held["price"] is None else Decimal(0)
    if segments or price:
        await store.correct_month(connection, held["month"], segments, price, report.currency)
    await store.note_report(connection, held["id"], report, now)
    is_news = _is_news(held["state"], report.status)
    if is_news:
        ended_on = now if report.status in ENDED else None
        await store.note_state(connection, held["id"], report.status, report.error_code, ended_on)
    if report.status in LOST and (is_news or held["state"] == report.status):
        error = f"{report.status}, {twilio.worded(report.error_code)}"
        await store.note_lost(connection, delivery_id, held["id"], error)
    elif held["sid"] is None:
        await store.note_arrived(connection, delivery_id, now)
    elif is_news and report.status is Status.DELIVERED:
        await store.note_received(connection, delivery_id, now)


def _is_news(held: str, told: Status) -> bool:
    """Say whether a state follows another one: what has ended stays so, and nothing goes back."""
    order: dict[str, int] = {NEW: 0} | {status: place for place, status in enumerate(ON_THE_WAY, 1)}
    return held not in ENDED and order.get(told, len(order)) > order.get(held, 0)
