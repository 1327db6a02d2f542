from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import ATTEMPTS, WHY_WIDE
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
        Column(wire=f"{ATTEMPTS}Id", column="id", type=FieldType.INTEGER, meaning="Id of the attempt"),
        Column(wire="DeliveryId", type=FieldType.INTEGER, meaning="Delivery"),
        Column(wire="EventId", of="delivery", type=FieldType.GUID, meaning="Its event"),
        Column(wire="Number", type=FieldType.INTEGER, meaning="Which attempt it was, from 1"),
        Column(wire="SentOn", type=FieldType.TIMESTAMP, unit="UTC", meaning="When it was sent"),
        Column(wire="Milliseconds", type=FieldType.INTEGER, unit="ms", meaning="How long it took"),
        Column(wire="Status", type=FieldType.INTEGER, meaning="HTTP status of the answer"),
        Column(wire="Error", type=FieldType.TEXT, meaning="Why it did not arrive"),
        Column(wire="Request", type=FieldType.TEXT, meaning="Body that was sent"),
        Column(wire="Answer", type=FieldType.TEXT, meaning="First 2,000 characters of the answer"),
        *common_columns(),
    ),
)
