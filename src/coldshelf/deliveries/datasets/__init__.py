"""The datasets of this room."""

from coldshelf.deliveries.datasets.delivery import DELIVERY
from coldshelf.deliveries.datasets.delivery_attempt import DELIVERY_ATTEMPT
from coldshelf.deliveries.datasets.outbox import OUTBOX_MESSAGE
from coldshelf.deliveries.datasets.sms_message import SMS_MESSAGE
from coldshelf.deliveries.datasets.sms_month import SMS_MONTH
from coldshelf.deliveries.datasets.sms_opt_out import SMS_OPT_OUT

DATASETS = (DELIVERY, DELIVERY_ATTEMPT, OUTBOX_MESSAGE, SMS_MESSAGE, SMS_MONTH, SMS_OPT_OUT)
