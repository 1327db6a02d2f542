"""One attempt at one delivery: packed and carried to its receiver by its channel."""

from dataclasses import replace
from datetime import timedelta

from coldshelf.deliveries.channel import Channel
from coldshelf.deliveries.channels import CHANNELS
from coldshelf.deliveries.models import KEPT_ANSWER, Answer, Delivery, Outcome, PutOff, State, Withheld
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.http.errors import CallFailed, UrlInvalid
from coldshelf.kit.runtime import Runtime


async def attempt(run: Runtime, around: Surroundings, delivery: Delivery) -> Outcome:
    """Send a loaded delivery; whatever happens to the receiver is an Outcome."""
    outcome = Outcome(state=State.WAITING, sent_on=run.clock.now(), took=timedelta(0))
    if not delivery.is_on:
        return replace(outcome, state=State.FAILED, error="The subscription is switched off")
    if delivery.withheld:
        return replace(outcome, state=State.WITHHELD, error=delivery.withheld)
    channel = CHANNELS.get(delivery.channel)
    if channel is None:
        return replace(outcome, state=State.WITHHELD, error=f"There is no channel {delivery.channel}")
    try:
        parcel = await channel.pack(run, around, delivery, outcome.sent_on)
        outcome = replace(outcome, body=parcel.body, address=parcel.address)
        answer = await (around.carry or channel.carry)(run, delivery, parcel)
    except (PutOff, Withheld, UrlInvalid, CallFailed) as error:
        return _not_sent(replace(outcome, took=run.clock.now() - outcome.sent_on), error)
    return _judged(replace(outcome, took=run.clock.now() - outcome.sent_on), channel, answer)


def _not_sent(outcome: Outcome, error: PutOff | Withheld | UrlInvalid | CallFailed) -> Outcome:
    match error:
        case PutOff():
            return replace(outcome, put_off_until=error.until)
        case Withheld():
            return replace(outcome, state=State.WITHHELD, error=error.why)
        case UrlInvalid():
            return replace(outcome, state=State.REFUSED, error=f"{error.message} {error.cure}".strip())
        case CallFailed():
            return replace(outcome, error=error.message)


def _judged(outcome: Outcome, channel: Channel, answer: Answer) -> Outcome:
    verdict = channel.judge(answer, outcome.sent_on)
    return replace(
        outcome,
        state=verdict.state,
        status=answer.status,
        answer=answer.text.replace("\0", "")[:KEPT_ANSWER],
        error=verdict.error,
        again_after=verdict.again_after,
        is_gone=verdict.is_gone,
        has_bounced=verdict.has_bounced,
    )
