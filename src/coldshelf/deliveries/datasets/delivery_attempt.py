"""DeliveryAttempt: every attempt to deliver an event."""

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import ATTEMPTS, WHY_WIDE
from coldshelf.records.columns import text, utc, whole
from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType

DELIVERY_ATTEMPT = Dataset(
    name=ATTEMPTS,
    relation="delivery_attempt",
    key=f"{ATTEMPTS}Id",
    meaning="One attempt to deliver an event: what was sent, what was answered, how long it took",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=("DeliveryId",),
    readers=ADMINS,
    resource="delivery-attempts",
    joins=(Join(name="delivery", relation="delivery", on="delivery_id"),),
    columns=(
        whole(f"{ATTEMPTS}Id", "Id of the attempt", "id"),
        whole("DeliveryId", "Delivery"),
        Column(wire="EventId", of="delivery", type=FieldType.GUID, meaning="Its event"),
        whole("Number", "Which attempt it was, from 1"),
        utc("SentOn", "When it was sent"),
        whole("Milliseconds", "How long it took", unit="ms"),
        whole("Status", "HTTP status of the answer"),
        text("Error", "Why it did not arrive"),
        text("Request", "Body that was sent"),
        text("Answer", "First 2,000 characters of the answer"),
        *common_columns(),
    ),
)
