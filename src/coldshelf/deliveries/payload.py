"""What a delivery carries: the record that its event is about, as its receiver's lists would show it at this moment."""

from dataclasses import dataclass
from datetime import UTC

import orjson

from coldshelf.access.principal import UNLIMITED, Principal, house
from coldshelf.access.service import sign_in_again
from coldshelf.deliveries.catalogue import TEST
from coldshelf.deliveries.models import LARGEST_BODY, Delivery
from coldshelf.deliveries.surroundings import Addition, Json, Surroundings
from coldshelf.kit.errors import NotAllowed, NotSignedIn
from coldshelf.kit.ids import UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import Dataset
from coldshelf.records.listing import list_records, read_list_request
from coldshelf.records.query import ROW_NUMBER
from coldshelf.records.resources.names import resource_path


@dataclass(frozen=True, slots=True)
class Withheld(Exception):  # no error: the receiver's limits say so
    """The receiver may not see the record."""

    why: str


async def write_body(run: Runtime, around: Surroundings, delivery: Delivery) -> bytes:
    """Write the body of a callback, at most 20,000 bytes of JSON; raise Withheld.

    `{"type", "version", "id", "timestamp", "clientId", "data"}`; a record that makes it larger is left out, and
    `links` says where it can be read. So does it for every record.
    """
    principal = await _reader(run, delivery)
    if delivery.type == TEST:
        return _body(delivery, {"SubscriptionId": delivery.subscription_id}, {})
    dataset, addition = around.registry.datasets[delivery.dataset], around.additions.get(delivery.dataset)
    bare = await _record(run, principal, dataset, delivery.key)
    links = {"record": f"{resource_path(dataset)}/{delivery.key}"}
    data = bare
    if addition is not None:
        links[addition.name.lower()] = addition.link.format(key=delivery.key)
        if principal.limit == UNLIMITED:
            data = bare | await _added(run, delivery, addition)
    for smaller in (data, bare):
        body = _body(delivery, smaller, links)
        if len(body) <= LARGEST_BODY:
            return body
    return _body(delivery, {dataset.key: delivery.key}, links)


async def _reader(run: Runtime, delivery: Delivery) -> Principal:
    """Sign in as the partner whose limits count; without one the receiver sees everything."""
    if delivery.user_id is None:
        return house(delivery.client_id, "deliveries")
    user_id = UserId(delivery.user_id)
    try:
        return await sign_in_again(run, delivery.client_id, user_id, f"user:{delivery.user_id}")
    except NotSignedIn as error:
        raise Withheld("The user of the subscription is switched off") from error


async def _record(run: Runtime, principal: Principal, dataset: Dataset, key: int) -> Json:
    wanted = [("filters", orjson.dumps({dataset.key: key}).decode()), ("limit", "1"), ("includeDeleted", "true")]
    request = read_list_request(dataset, Params(wanted), most=1)
    try:
        answer = await list_records(run, principal, request)
    except NotAllowed as error:
        raise Withheld(error.message) from error
    text = answer.body if isinstance(answer.body, bytes) else b"".join([part async for part in answer.body])
    records: list[Json] = orjson.loads(text)["records"]
    if not records:
        raise Withheld("The record lies outside the limits of the subscription's user")
    return {name: value for name, value in records[0].items() if name != ROW_NUMBER}


async def _added(run: Runtime, delivery: Delivery, addition: Addition) -> Json:
    async with run.database.scope(delivery.client_id, readonly=True) as connection:
        loaded = await addition.load(connection, delivery.key)
    return {} if loaded is None else {addition.name: loaded}


def _body(delivery: Delivery, data: Json, links: Json) -> bytes:
    return orjson.dumps(
        {
            "type": delivery.type,
            "version": delivery.version,
            "id": str(delivery.event_id),
            "timestamp": f"{delivery.occurred_on.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
            "clientId": delivery.client_id,
            "data": data,
            "links": links,
        }
    )
