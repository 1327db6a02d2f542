"""SmsMonth: what a client has sent in a month."""

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import SMS_MONTHS, WHY_WIDE
from coldshelf.records.columns import exact, text, whole
from coldshelf.records.dataset import Dataset, common_columns

SMS_MONTH = Dataset(
    name=SMS_MONTHS,
    relation="sms_month",
    key=f"{SMS_MONTHS}Id",
    meaning="SMS of a month (UTC): how many, their segments, and what they cost",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{SMS_MONTHS}Id", "Month"),
    readers=ADMINS,
    resource="sms-months",
    columns=(
        whole(f"{SMS_MONTHS}Id", "Id of the month", "id"),
        text("Month", "Month, as 2026-11"),
        whole("Messages", "SMS sent, and those under way"),
        whole("Segments", "Their segments, which the monthly cap limits", unit="segments"),
        exact("Price", "What they cost, as far as Twilio has told it", precision=18, scale=6),
        text("Currency", "Of the price"),
        *common_columns(),
    ),
)
