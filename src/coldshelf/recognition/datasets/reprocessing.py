"""Reprocessing and ReprocessingPicture: runs that look at pictures again, and what would change in each of them."""

from coldshelf.access.principal import ADMINS
from coldshelf.records.dataset import Column, Dataset, Join, common_columns
from coldshelf.records.fields import FieldType

REASON = "A run looks at pictures of every outlet."
PROGRESS = "reprocessing_progress"


def _text(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.TEXT, meaning=meaning)


def _number(wire: str, meaning: str, column: str = "", of: str = "") -> Column:
    return Column(wire=wire, column=column, of=of, type=FieldType.INTEGER, meaning=meaning)


def _json(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.JSON, meaning=meaning)


REPROCESSING = Dataset(
    name="Reprocessing",
    relation="reprocessing",
    key="ReprocessingId",
    meaning="Run that looks at processed pictures again and replaces nothing before it is told to",
    client_wide=REASON,
    every_outlet=True,
    default_direction="desc",
    plain_filters=("ReprocessingId",),
    readers=ADMINS,
    joins=(Join(name=PROGRESS, relation=PROGRESS, on="id", key="reprocessing_id"),),
    columns=(
        _number("ReprocessingId", "Id of the run", "id"),
        _text("Recogniser", "Recogniser that looks again"),
        _text("Selection", "Which pictures were chosen"),
        _number("Lanes", "Pictures worked on at the same time"),
        _number("Pictures", "Pictures chosen", of=PROGRESS),
        _number("Waiting", "Not compared yet", of=PROGRESS),
        _number("Ready", "Compared; wait for a decision", of=PROGRESS),
        _number("Differing", "Of those that are ready: facings differ", of=PROGRESS),
        _number("Accepted", "To be served", of=PROGRESS),
        _number("Applied", "Served in place of the results before", of=PROGRESS),
        _number("Discarded", "Forgotten", of=PROGRESS),
        _number("Stale", "Not served: another result was, meanwhile", of=PROGRESS),
        _number("Failed", "Could not be looked at", of=PROGRESS),
        *common_columns(),
    ),
)

REPROCESSING_PICTURE = Dataset(
    name="ReprocessingPicture",
    relation="reprocessing_picture",
    key="ReprocessingPictureId",
    meaning="Picture of a reprocessing run, and what would change in it",
    location="location_id",
    location_of=Join(name="picture", relation="picture", on="picture_id"),
    plain_filters=("ReprocessingPictureId", "ReprocessingId", "AssetPurityId"),
    readers=ADMINS,
    columns=(
        _number("ReprocessingPictureId", "Id of the row", "id"),
        _number("ReprocessingId", "Run"),
        _number("AssetPurityId", "Image record", "picture_id"),
        _text("State", "waiting, recognised, ready, accepted, applied, discarded, stale or failed"),
        _text("Reason", "Why it is stale or failed"),
        _number("BaseResultVersion", "Version of the served result that it was compared with", "base_number"),
        _text("BaseModelVersion", "Recogniser of that result and its version", "base_model"),
        _text("NewModelVersion", "Recogniser that looked again and its version", "new_model"),
        _number("Added", "Facings and gaps that were not there before"),
        _number("Gone", "Facings and gaps that are not there any more"),
        _number("Renamed", "Facings with another product"),
        _number("Moved", "Facings with the same product and another shelf or position"),
        _number("Same", "Facings and gaps that did not change"),
        _json("Differences", "What became of each facing that differs: change, before, after"),
        *common_columns(),
    ),
)
