"""SmsOptOut: numbers that want no SMS."""

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import SMS_OPT_OUTS, WHY_WIDE
from coldshelf.records.columns import text, utc, whole, yes_no
from coldshelf.records.dataset import Dataset, common_columns

SMS_OPT_OUT = Dataset(
    name=SMS_OPT_OUTS,
    relation="sms_opt_out",
    key=f"{SMS_OPT_OUTS}Id",
    meaning="Number whose owner wants no SMS, or wants them again",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{SMS_OPT_OUTS}Id", "Phone"),
    readers=ADMINS,
    resource="sms-opt-outs",
    columns=(
        whole(f"{SMS_OPT_OUTS}Id", "Id of the entry", "id"),
        text("Phone", "Number", personal=True),
        yes_no("IsOut", "Yes: nothing is sent. No: it has come back"),
        text("Because", "The word that was texted, or Twilio's error code"),
        utc("ChangedOn", "Since when"),
        *common_columns(),
    ),
)
