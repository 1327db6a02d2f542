"""Outbox: what a sandbox kept in place of sending it."""

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.models import OUTBOX, WHY_WIDE
from coldshelf.records.columns import text, whole
from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType

OUTBOX_MESSAGE = Dataset(
    name=OUTBOX,
    relation="outbox",
    key=f"{OUTBOX}Id",
    meaning="Message that a sandbox kept in place of sending it: one for each attempt",
    client_wide=WHY_WIDE,
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{OUTBOX}Id", "DeliveryId", "Channel", "Type"),
    readers=ADMINS,
    resource="outbox",
    columns=(
        whole(f"{OUTBOX}Id", "Id of the message", "id"),
        whole("DeliveryId", "Delivery"),
        whole("Number", "Which attempt it was, from 1"),
        text("Channel", "How it would have left: callback, email, sms or slack"),
        Column(wire="EventId", type=FieldType.GUID, meaning="Id of the event: webhook-id of a callback"),
        text("Type", "Event", "event_type"),
        text("Address", "Where it would have gone", personal=True),
        text("Subject", "Subject of a mail, or the beginning of a text", personal=True),
        whole("Size", "Size of its body", unit="bytes"),
        text("Behaviour", "How the channel was switched: ok, refuse, time_out, 500, 410, slow or cut"),
        whole("Status", "Status that the sandbox answered; empty: none"),
        text("Error", "How the sandbox failed"),
        *common_columns(),
    ),
)
