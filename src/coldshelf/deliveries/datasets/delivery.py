from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import DELIVERIES, WHY_WIDE
from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType


def _text(wire: str, meaning: str, column: str = "", of: str = "") -> Column:
    return Column(wire=wire, column=column, of=of, type=FieldType.TEXT, meaning=meaning)


def _number(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.INTEGER, meaning=meaning)


def _time(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.TIMESTAMP, unit="UTC", meaning=meaning)


DELIVERY = Dataset(
    name=DELIVERIES,
    relation="delivery",
    key=f"{DELIVERIES}Id",
    meaning="Event that is posted to one address: where it stands, and what came of the latest attempt",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{DELIVERIES}Id", "SubscriptionId", "State", "Type"),
    readers=ADMINS,
    resource="deliveries",
    joins=(Join(name="subscription", relation="subscription", on="subscription_id"),),
    columns=(
        _number(f"{DELIVERIES}Id", "Id of the delivery", "id"),
        _number("SubscriptionId", "Subscription; empty: callbackUrl of an upload"),
        _text("Subscription", "Its name", "name", of="subscription"),
        _text("Url", "Address"),
        Column(wire="EventId", type=FieldType.GUID, meaning="Id of the event: webhook-id of every attempt"),
        _text("Type", "Event", "event_type"),
        _time("OccurredOn", "When it happened"),
        _text("Dataset", "What the event is about"),
        _number("Key", "Id of the record there", "record_key"),
        _text("State", "waiting, delivered, failed, refused (forbidden address) or withheld (outside the limits)"),
        _number("Attempts", "How often it was tried"),
        _time("DueOn", "When the next attempt is due; empty: there is none"),
        _number("Status", "HTTP status of the latest answer"),
        _text("Error", "Why the latest attempt did not arrive"),
        _time("DeliveredOn", "When it arrived"),
        *common_columns(),
    ),
)
