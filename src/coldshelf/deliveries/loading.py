"""Deliveries are loaded right before they are sent: records within their receivers' limits, and what signs them.

What a worker has taken is loaded together: each record once for all receivers with the same limits, each dataset by one
list. So an event for a thousand subscriptions costs one read.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

import orjson

from coldshelf.access.principal import UNLIMITED, Principal, house
from coldshelf.access.service import sign_in_again
from coldshelf.deliveries import store
from coldshelf.deliveries.catalogue import TEST
from coldshelf.deliveries.models import CALLBACK, DIGEST, Delivery, Json
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.errors import NotAllowed, NotSignedIn
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.signing import new_secret
from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import Dataset
from coldshelf.records.listing import list_records, read_list_request
from coldshelf.records.query import ROW_NUMBER

log = get_logger("deliveries")
HIDDEN = "The record lies outside the limits of the subscription's user"
SWITCHED_OFF = "The user of the subscription is switched off"
NOBODY: Sequence[Delivery] = ()
BARE = frozenset({TEST, DIGEST})
"""Events that are about no record, or about several."""


async def load(run: Runtime, around: Surroundings, taken: Sequence[Delivery]) -> list[Delivery]:
    """Load what was taken. What cannot be is left out and logged: it is due again when its lease ends."""
    loaded: list[Delivery] = []
    for alike in _alike(taken):
        loaded += await _load_or_leave(run, around, alike)
    return loaded


def _alike(taken: Sequence[Delivery]) -> Collection[list[Delivery]]:
    """Bring together what has the same client, limits and dataset."""
    found: dict[tuple[object, ...], list[Delivery]] = defaultdict(list)
    for one in taken:
        found[one.client_id, one.user_id, one.dataset, one.type in BARE].append(one)
    return found.values()


async def _load_or_leave(run: Runtime, around: Surroundings, alike: list[Delivery]) -> Sequence[Delivery]:
    try:
        return await _load(run, around, alike)
    except Exception:
        if len(alike) == 1:
            log.exception("deliveries.failed", id=alike[0].id, client=alike[0].client_id)
            return NOBODY
    return [each for one in alike for each in await _load_or_leave(run, around, [one])]


async def _load(run: Runtime, around: Surroundings, alike: list[Delivery]) -> Sequence[Delivery]:
    first = alike[0]
    signed = {one.subscription_id for one in alike if one.channel == CALLBACK}
    secrets = await _secrets(run, first.client_id, signed) if signed else {}
    alike = [replace(one, secrets=secrets.get(one.subscription_id, ())) for one in alike]
    if first.type in BARE:
        return alike
    try:
        principal = await reader(run, first.client_id, first.user_id)
    except NotSignedIn:
        return [replace(one, withheld=SWITCHED_OFF) for one in alike]
    return await load_for(run, around, principal, alike)


async def load_for(
    run: Runtime, around: Surroundings, principal: Principal, alike: Sequence[Delivery]
) -> Sequence[Delivery]:
    """Load what is about one dataset as one sees it who reads as this principal."""
    first = alike[0]
    try:
        records = await load_records(
            run, principal, around.registry.datasets[first.dataset], {one.key for one in alike}
        )
    except NotAllowed as error:
        return [replace(one, withheld=error.message) for one in alike]
    added = await _added(run, around, principal, first, records) if principal.limit == UNLIMITED else {}
    return [
        replace(one, record=records[one.key], added=added.get(one.key, {}))
        if one.key in records
        else replace(one, withheld=HIDDEN)
        for one in alike
    ]


async def reader(run: Runtime, client_id: ClientId, user_id: int | None) -> Principal:
    """Sign in as the partner whose limits count; without one the receiver sees everything. Raises NotSignedIn."""
    if user_id is None:
        return house(client_id, "deliveries")
    return await sign_in_again(run, client_id, UserId(user_id), f"user:{user_id}")


async def load_records(run: Runtime, principal: Principal, dataset: Dataset, keys: Collection[int]) -> dict[int, Json]:
    """Give at most 1,000 records that the reader sees, by key; raise NotAllowed when it sees none of the dataset."""
    named = {dataset.key: {"operator": "IN", "value": sorted(keys)}}
    wanted = [
        ("filters", orjson.dumps(named).decode()),
        ("limit", str(len(keys))),
        ("includeDeleted", "true"),
    ]
    request = read_list_request(dataset, Params(wanted), most=len(keys))
    answer = await list_records(run, principal, request)
    told: Json = orjson.loads(await answer.whole())
    return {
        record[dataset.key]: {name: value for name, value in record.items() if name != ROW_NUMBER}
        for record in told["records"]
    }


async def _added(
    run: Runtime, around: Surroundings, principal: Principal, first: Delivery, keys: Collection[int]
) -> dict[int, Json]:
    addition = around.additions.get(first.dataset)
    if addition is None:
        return {}
    async with run.database.scope(principal.client, readonly=True) as connection:
        loaded = {key: await addition.load(connection, key) for key in keys}
    return {key: {addition.name: said} for key, said in loaded.items() if said is not None}


async def _secrets(
    run: Runtime, client_id: ClientId, subscriptions: Collection[int | None]
) -> dict[int | None, list[str]]:
    """Give what messages to subscriptions are signed with; None is the client itself."""
    wanted = set(subscriptions)
    async with run.database.scope(client_id, user_name="deliveries") as connection:
        found = await store.secrets_of(connection, wanted, run.clock.now())
        if missing := wanted - set(found):
            for subscription_id in missing:
                await store.first_secret(connection, subscription_id, new_secret())
            found |= await store.secrets_of(connection, missing, run.clock.now())
    return found
