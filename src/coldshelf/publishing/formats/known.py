"""The forms of files that the house knows: one module each."""

from collections.abc import Mapping
from types import MappingProxyType

from coldshelf.publishing.formats import csv, excel, json_lines, parquet
from coldshelf.publishing.formats.parts import Format
from coldshelf.publishing.models import FileFormat

FORMATS: Mapping[FileFormat, Format] = MappingProxyType(
    {FileFormat.PARQUET: parquet, FileFormat.CSV: csv, FileFormat.JSON: json_lines, FileFormat.EXCEL: excel}
)
