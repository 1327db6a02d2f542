"""The words of messages: those that are built in, for every public event, in English."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from coldshelf.deliveries.models import DIGEST
from coldshelf.records.errors import FieldInvalid

FALLBACK = "en"
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LONGEST_LANGUAGE = 20


@dataclass(frozen=True, slots=True)
class Words:
    """Subject and body with placeholders; a line all of whose placeholders are empty is left out."""

    subject: str
    body: str
    language: str = FALLBACK


_OUTLET = """
Outlet: {|Location|} ({|LocationCode|})"""
_WHEN = "When: {|EventTime|}"
_PICTURE = f"{_OUTLET}\nCity: {{|City|}}\nCooler: {{|SerialNumber|}}\n{_WHEN}"
_COOLER = f"{_OUTLET}\nCity: {{|City|}}\nCooler: {{|AssetSerialNumber|}}\n{_WHEN}"
_FIGURES = """
Planogram compliance: {|PlanogramCompliance|} %
Out of stock: {|OOSPercentage|} % of the planned products
Empty facings: {|EmptyFacings|} of {|TotalFacings|}"""
_ORDER = (
    _OUTLET
    + """
Distributor: {|DistributorName|}
Value: {|OrderValue|} {|CurrencyCode|}
Delivery: {|DeliveryDate|}"""
)
_ALERT = """
What: {|AlertType|}
Value: {|AlertValue|}
Priority: {|Priority|}"""
_RUN = """
State: {|State|}
Files: {|TablesDone|} of {|TablesTotal|} tables, {|RowsDone|} rows
Error: {|Error|}
Cure: {|Cure|}
When: {|EventTime|}"""
_IMPORT = """
File: {|FileName|}
Type: {|Type|}
Rows: {|TotalRows|}
Added: {|Inserted|}
Changed: {|Updated|}
Errors: {|ErrorCount|}
When: {|EventTime|}"""


def _words(subject: str, *parts: str) -> Words:
    return Words(subject, "\n".join(parts))


BUILT_IN: Mapping[str, Words] = MappingProxyType(
    {
        "image.pending": _words(
            "Picture waits for review: {|Location|}", "A picture waits for somebody to look at it.", _PICTURE
        ),
        "image.approved": _words("Picture approved: {|Location|}", "A picture that waited was approved.", _PICTURE),
        "image.processed": _words(
            "Cooler seen: {|Location|}", "A new picture of a cooler has its result.", _PICTURE, _FIGURES
        ),
        "image.rejected": _words(
            "Picture rejected: {|Location|}",
            "A picture could not be used. Please take it again.",
            "\nReason: {|RejectionReason|}",
            _PICTURE.strip(),
        ),
        "missed_opportunity.found": _words(
            "Missing in the cooler: {|Product|} at {|Location|}",
            "A product that sells is not in the cooler.",
            _OUTLET,
            "Cooler: {|AssetSerialNumber|}",
            _WHEN,
            "\nProduct: {|Product|}",
            "Missed units: {|MissedUnits|}",
            "Missed revenue: {|MissedRevenue|} {|CurrencyCode|}",
        ),
        "order.recommended": _words(
            "Order recommended: {|Location|}", "An order is recommended for this outlet.", _ORDER
        ),
        "order.accepted": _words("Order accepted: {|Location|}", "The recommended order was accepted.", _ORDER),
        "order.modified": _words(
            "Order changed: {|Location|}", "The recommended order was accepted with changes.", _ORDER
        ),
        "order.cancelled": _words(
            "Order turned down: {|Location|}",
            "The recommended order was turned down.",
            "\nReason: {|IgnoreReason|}",
            _ORDER,
        ),
        "alert.opened": _words("Alert: {|AlertText|} {|Location|}", "Something needs to be done.", _ALERT, _COOLER),
        "alert.updated": _words("Alert changed: {|AlertText|} {|Location|}", "An open alert changed.", _ALERT, _COOLER),
        "alert.closed": _words("Alert over: {|AlertText|} {|Location|}", "This is done or over.", _ALERT, _COOLER),
        "export.completed": _words("Files are there: {|Publication|}", "Every file of the run is there.", _RUN),
        "export.failed": _words("Files failed: {|Publication|}", "The run was given up; nothing of it counts.", _RUN),
        "export.late": _words("Files are late: {|Publication|}", "The run has not finished in its time.", _RUN),
        "import.completed": _words("Import done: {|FileName|}", "The file was imported.", _IMPORT),
        "import.failed": _words("Import failed: {|FileName|}", "Nothing of the file was imported.", _IMPORT),
        "subscription.disabled": _words(
            "Switched off: {|Name|}",
            "A subscription gets nothing more until somebody switches it on again.",
            "\nSubscription: {|Name|}",
            "Why: {|DisabledBecause|}",
            "Address: {|Url|}",
        ),
        "subscription.test": _words(
            "Test of {|Subscription|}", "This is a test. If you can read it, messages arrive.", "\nSent: {|EventTime|}"
        ),
        DIGEST: _words("{|Subscription|}: {|Count|} new", "{|Entries|}"),
    }
)


def check_language(text: str) -> None:
    """Raise FieldInvalid for what names no language."""
    if not LANGUAGE.fullmatch(text):
        raise FieldInvalid(f"Language takes a tag such as en, de or pt-BR, not {text[:20]!r}")


def languages(*wished: str | None) -> list[str]:
    """Give the languages to look for, lower case, the first the best: `de-at`, `de`, the client's, English."""
    found: list[str] = []
    for language in (*filter(None, wished), FALLBACK):
        found += [language.lower(), language.partition("-")[0].lower()]
    return list(dict.fromkeys(found))


def built_in(event: str) -> Words:
    """Give the words that every installation has; an event that came later has plain ones."""
    return BUILT_IN.get(event) or Words("{|EventMeaning|}", f"{{|EventMeaning|}}.\n{_PICTURE}")
