"""Erasure: every legal erasure, what it reached and what it could not reach."""

from coldshelf.access.principal import ADMINS
from coldshelf.publishing.models import ERASURES
from coldshelf.records.columns import text, utc, whole
from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType

ERASURE = Dataset(
    name=ERASURES,
    relation="erasure",
    key=f"{ERASURES}Id",
    meaning="Legal erasure: who asked for it and when, what it reached, what it could not reach",
    client_wide="Only client admins see erasures, and they see every outlet.",
    every_outlet=True,
    default_direction="desc",
    plain_filters=(f"{ERASURES}Id", "RecordId"),
    readers=ADMINS,
    columns=(
        whole(f"{ERASURES}Id", "Id of the erasure", "id"),
        text("Dataset", "Entity of the record, or AssetPurity for a picture"),
        whole("RecordId", "Id of the record", "row_id"),
        text("Reason", "Why, without saying who"),
        text("State", "waiting: the record is a tombstone; done: what was published of it is reached too"),
        utc("ErasedOn", "Since when the record is a tombstone"),
        utc("DueOn", "From when on what was published of it is reached"),
        utc("DoneOn", "When that was done"),
        text("Error", "Why the last attempt did not reach everything that it could"),
        Column(
            wire="Report",
            type=FieldType.JSON,
            meaning="What was reached, and what is out of reach: destination, path, run, date, why",
        ),
        *common_columns(),
    ),
)
