"""Delivery: every event on its way to an address."""

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import DELIVERIES, WHY_WIDE
from coldshelf.records.columns import text, utc, whole
from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType

DELIVERY = Dataset(
    name=DELIVERIES,
    relation="delivery",
    key=f"{DELIVERIES}Id",
    meaning="Event that is sent to one address: where it stands, and what came of the latest attempt",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{DELIVERIES}Id", "SubscriptionId", "State", "Type", "Channel", "LocationId"),
    readers=ADMINS,
    resource="deliveries",
    columns=(
        whole(f"{DELIVERIES}Id", "Id of the delivery", "id"),
        whole("SubscriptionId", "Subscription; empty: callbackUrl of an upload"),
        text("Channel", "callback, email, slack or sms"),
        text("Url", "Address; empty: that of the recipient of the subscription"),
        Column(wire="EventId", type=FieldType.GUID, meaning="Id of the event: webhook-id of every attempt"),
        text("Type", "Event", "event_type"),
        utc("OccurredOn", "When it happened"),
        text("Dataset", "What the event is about"),
        whole("Key", "Id of the record there", "record_key"),
        whole("LocationId", "Outlet where it happened"),
        text("State", "waiting, delivered, failed, refused (forbidden address) or withheld (not to be sent)"),
        whole("Attempts", "How often it was tried"),
        utc("DueOn", "When the next attempt is due; empty: there is none"),
        whole("Status", "HTTP status of the latest answer"),
        text("Error", "Why the latest attempt did not arrive"),
        utc("DeliveredOn", "When it arrived"),
        *common_columns(),
    ),
)
