"""What a callback says: the record that its event is about, as its receiver's lists would show it at this moment."""

from datetime import UTC

import orjson

from coldshelf.deliveries.catalogue import TEST
from coldshelf.deliveries.models import LARGEST_BODY, Delivery, Json
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.records.resources.names import resource_path


def write_body(around: Surroundings, delivery: Delivery) -> bytes:
    """Write the body of a loaded delivery, at most 20,000 bytes of JSON.

    `{"type", "version", "id", "timestamp", "clientId", "data", "links"}`; a record that makes it larger is left out,
    and `links` says where it can be read. So does it for every record.
    """
    if delivery.type == TEST:
        return _body(delivery, {"SubscriptionId": delivery.subscription_id}, {})
    dataset, addition = around.registry.datasets[delivery.dataset], around.additions.get(delivery.dataset)
    links = {"record": f"{resource_path(dataset)}/{delivery.key}"}
    if addition is not None:
        links[addition.name.lower()] = addition.link.format(key=delivery.key)
    for smaller in (delivery.record | delivery.added, delivery.record):
        body = _body(delivery, smaller, links)
        if len(body) <= LARGEST_BODY:
            return body
    return _body(delivery, {dataset.key: delivery.key}, links)


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
