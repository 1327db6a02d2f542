"""SmsMessage: every SMS, what became of it and what it costs."""

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import SMS_MESSAGES, WHY_WIDE
from coldshelf.records.columns import exact, text, utc, whole
from coldshelf.records.dataset import Dataset, common_columns

SMS_MESSAGE = Dataset(
    name=SMS_MESSAGES,
    relation="sms_message",
    key=f"{SMS_MESSAGES}Id",
    meaning="SMS of a delivery: what became of it, its segments and its price",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{SMS_MESSAGES}Id", "DeliveryId", "State", "Month"),
    readers=ADMINS,
    resource="sms-messages",
    columns=(
        whole(f"{SMS_MESSAGES}Id", "Id of the message", "id"),
        whole("DeliveryId", "Delivery"),
        text("Phone", "Number that it goes to", personal=True),
        text("Sid", "What Twilio calls it; empty: not taken yet"),
        text("State", "new, refused, or as Twilio says: queued, sent, delivered, undelivered, failed …"),
        whole("ErrorCode", "Twilio's error code"),
        text("Encoding", "GSM-7 or UCS-2"),
        whole("Segments", "Segments that it is sent in", unit="segments"),
        text("Month", "Month (UTC) in which it counts, as 2026-11"),
        exact("Price", "What it costs; empty: not known yet", precision=12, scale=6),
        text("Currency", "Of the price"),
        utc("SentOn", "When Twilio took it"),
        utc("EndedOn", "When it was delivered or lost"),
        *common_columns(),
    ),
)
