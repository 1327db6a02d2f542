"""What lists and records of subscriptions and deliveries do not offer: secrets, tests, replays."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from coldshelf.access.web import SignedIn
from coldshelf.deliveries.models import SUBSCRIPTIONS, Selection, State
from coldshelf.deliveries.routes.writing import write_as_admin
from coldshelf.deliveries.service import ENDED, change_secret, replay, send_test
from coldshelf.kit.clock import wire_time
from coldshelf.kit.db import Connection
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.params import LARGEST_INTEGER
from coldshelf.kit.web.request import run_of

MOST_IDS = 1000
router = APIRouter(prefix="/api/v1", tags=[SUBSCRIPTIONS])
SubscriptionId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="SubscriptionId")]
Id = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]


class NewSecret(BaseModel):
    """A secret that is told this once."""

    Secret: str = Field(description="What receivers verify signatures with (Standard Webhooks, whsec_…)")
    PreviousEndsOn: str = Field(description="UTC; until then messages are signed by the previous secret as well")


class TestSent(BaseModel):
    EventId: str = Field(description="webhook-id of the test: look for it in /api/v1/deliveries")


class Replay(BaseModel):
    """Which deliveries begin anew; what is left out does not narrow, but one of them has to be said."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"States": ["failed"]}]})

    DeliveryIds: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    SubscriptionId: Id | None = None
    LocationId: Id | None = Field(default=None, description="Only those about what happened at this outlet")
    Type: str | None = Field(default=None, max_length=100, description="Only those of this event")
    States: list[State] | None = Field(default=None, min_length=1, description="All that failed: failed")
    Since: AwareDatetime | None = Field(default=None, description="Only those that began then or later")
    Until: AwareDatetime | None = Field(default=None, description="Only those that began before")


class Replayed(BaseModel):
    Count: int
    DeliveryIds: list[int] = Field(description="The first 1,000 of them")


@router.post(
    "/subscriptions/{subscription_id}/secret",
    response_model=NewSecret,
    operation_id="subscription_secret",
    summary="Make a new secret of a subscription",
    description="Both secrets sign for a day, so that receivers can change theirs meanwhile.",
    responses=problems(400, 401, 403, 404, 409, 422, 429),
)
async def new_secret(request: Request, principal: SignedIn, subscription_id: SubscriptionId) -> Response:
    return await write_as_admin(
        request, principal, SUBSCRIPTIONS, None, lambda connection: _secret(request, connection, subscription_id)
    )


@router.post(
    "/callback-secret",
    response_model=NewSecret,
    operation_id="callback_secret",
    summary="Make a new secret of the client itself",
    description="It signs what is posted to the `callbackUrl` of uploads. Both secrets sign for a day.",
    responses=problems(401, 403, 409, 422, 429),
)
async def new_client_secret(request: Request, principal: SignedIn) -> Response:
    return await write_as_admin(
        request, principal, SUBSCRIPTIONS, None, lambda connection: _secret(request, connection, None)
    )


@router.post(
    "/subscriptions/{subscription_id}/test",
    status_code=202,
    response_model=TestSent,
    operation_id="subscription_test",
    summary="Send a test event to a subscription",
    responses=problems(400, 401, 403, 404, 409, 422, 429),
)
async def test(request: Request, principal: SignedIn, subscription_id: SubscriptionId) -> Response:
    async def write(connection: Connection) -> BaseModel:
        event = await send_test(run_of(request), connection, principal.client, subscription_id)
        return TestSent(EventId=str(event.id))

    return await write_as_admin(request, principal, SUBSCRIPTIONS, None, write, status=202)


@router.post(
    "/deliveries/replay",
    status_code=202,
    response_model=Replayed,
    operation_id="delivery_replay",
    summary="Let deliveries that have ended begin anew",
    description="One, a range, or all that failed. Receivers know them by the same webhook-id.",
    responses=problems(400, 401, 403, 404, 409, 422, 429),
)
async def replay_deliveries(request: Request, principal: SignedIn, wanted: Replay) -> Response:
    chosen = Selection(
        ids=wanted.DeliveryIds,
        states=wanted.States or ENDED,
        event_type=wanted.Type,
        subscription_id=wanted.SubscriptionId,
        location_id=wanted.LocationId,
        since=_utc(wanted.Since),
        until=_utc(wanted.Until),
    )

    async def write(connection: Connection) -> BaseModel:
        found = await replay(run_of(request), connection, chosen)
        return Replayed(Count=len(found), DeliveryIds=[one.id for one in found[:MOST_IDS]])

    return await write_as_admin(request, principal, SUBSCRIPTIONS, wanted, write, status=202)


async def _secret(request: Request, connection: Connection, subscription_id: int | None) -> BaseModel:
    secret, ends_on = await change_secret(run_of(request), connection, subscription_id)
    return NewSecret(Secret=secret, PreviousEndsOn=wire_time(ends_on))


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
