"""ImportRun: every file that came to be imported, who sent it and what came of it."""

from coldshelf.access.principal import ADMINS
from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType
from coldshelf.records.imports.events import DATASET


def _text(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.TEXT, meaning=meaning)


def _number(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.INTEGER, meaning=meaning)


def _time(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.TIMESTAMP, unit="UTC", meaning=meaning)


IMPORT_RUN = Dataset(
    name=DATASET,
    relation="import_run",
    key="ImportRunId",
    resource="imports",
    meaning="File that came to be imported, and what came of it",
    client_wide="Only client admins see imports, and they see every outlet.",
    every_outlet=True,
    default_direction="desc",
    plain_filters=("ImportRunId",),
    readers=ADMINS,
    columns=(
        _number("ImportRunId", "Id of the run", "id"),
        Column(wire="ImportId", column="guid", type=FieldType.GUID, meaning="The importId of the answer"),
        _text("Type", "Type of import"),
        _text("State", "waiting, reading, checking, writing, done, failed or undone"),
        _text("Source", "request, command or folder"),
        _text("FileName", "Name of the file"),
        _text("ObjectKey", "Where the file is kept in the object store"),
        _number("FileSize", "Size of the file in bytes"),
        _text("Phase", "What is being done now"),
        _number("TotalRows", "Rows of the file"),
        _number("RowsDone", "Rows done in this phase"),
        _number("Inserted", "Records that were new"),
        _number("Updated", "Records that were there"),
        _number("Unchanged", "Of those: needed no change"),
        _number("ErrorCount", "Bad cells"),
        Column(
            wire="Errors", type=FieldType.JSON, meaning="The first bad cells: row, column, value, message, rule, cure"
        ),
        Column(wire="Warnings", type=FieldType.JSON, meaning="What was not used"),
        _time("StartedOn", "When work on it began"),
        _time("FinishedOn", "When it ended"),
        _time("UndoneOn", "When it was undone"),
        Column(wire="UndoneByUser", type=FieldType.TEXT, personal=True, meaning="Who undid it"),
        *common_columns(),
    ),
)
