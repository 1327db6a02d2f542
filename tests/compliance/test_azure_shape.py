"""The reply of the retired service, as its guide and its reference show it."""

from coldshelf.compliance.azure_shape import azure_json
from coldshelf.compliance.comparing import Plan, standing_rows
from coldshelf.compliance.matching import Planned
from coldshelf.masterdata.models import PlanogramUse
from coldshelf.recognition.models import Row

CORNERS = ((12.4, 10.0), (11.6, 55.2), (44.0, 54.0), (43.0, 9.6))
NUMBERS = {"a": 1, "b": 2, "c": 3, "x": 9}


def row(number: int, letter: str, position: int, *, stack_index: int = 0) -> Row:
    return Row(
        product_id=NUMBERS.get(letter, 0),
        product_name=letter,
        sku=f"SKU-{letter}",
        is_foreign=False,
        is_empty=letter == "_",
        is_unknown=letter == "?",
        shelf=1,
        position=position,
        confidence=None if letter == "_" else 92.5,
        corners=CORNERS,
        stack_index=stack_index,
        id=number,
    )


def rows(letters: str) -> list[Row]:
    return [row(100 + n, letter, n) for n, letter in enumerate(letters, 1)]


def plan(letters: str, use: PlanogramUse = PlanogramUse.LAYOUT) -> Plan:
    return Plan(use, tuple(Planned(1, n, NUMBERS[letter]) for n, letter in enumerate(letters, 1)))


def names(seen: str, planned: str) -> list[str | None]:
    document = azure_json(standing_rows(rows(seen), plan(planned)), plan(planned))
    return [
        entry["detectedObject"]["tags"][0]["name"] if "detectedObject" in entry else None
        for entry in document["matchedResultsPerPosition"]
    ]


def test_an_entry_has_the_position_the_box_and_the_names_of_both_documents() -> None:
    document = azure_json(standing_rows(rows("a"), plan("a")), plan("a"))

    entry = {
        "positionId": "1-1",
        "detectedObject": {
            "id": "101",
            "boundingBox": {"x": 12, "y": 10, "w": 32, "h": 45},
            "tags": [{"name": "SKU-a", "confidence": 0.925}],
            "classifications": [{"confidence": 0.925, "label": "SKU-a"}],
        },
    }
    assert document == {"matchedResultsPerPosition": [entry], "matchingResultPerPosition": [entry]}


def test_every_planned_position_has_one_entry_whatever_stands_there() -> None:
    assert names("a_c", "abc") == ["SKU-a", "gap", "SKU-c"]
    assert names("ac", "abc") == ["SKU-a", None, "SKU-c"]
    assert names("a?cx", "abc") == ["SKU-a", "product", "SKU-c"]
    assert names("", "ab") == [None, None]


def test_a_moved_product_is_told_where_it_stands_and_not_where_it_should() -> None:
    assert names("bac", "abc") == ["SKU-b", "SKU-a", "SKU-c"]


def test_a_gap_has_the_confidence_that_the_shape_wants() -> None:
    document = azure_json(standing_rows(rows("_"), plan("a")), plan("a"))

    tags = document["matchingResultPerPosition"][0]["detectedObject"]["tags"]
    assert tags == [{"name": "gap", "confidence": 1.0}]


def test_wanted_facings_of_a_priorogram_are_told_by_priority() -> None:
    wanted = Plan(PlanogramUse.PRIORITY, (Planned(1, 1, NUMBERS["c"]), Planned(2, 1, NUMBERS["b"])))

    document = azure_json(standing_rows(rows("xac"), wanted), wanted)

    first, second = document["matchedResultsPerPosition"]
    assert first["detectedObject"]["id"] == "103"
    assert second == {"positionId": "2-1"}


def test_stacked_products_stand_at_no_place() -> None:
    seen = [*rows("a"), row(200, "b", 1, stack_index=1)]

    assert list(standing_rows(seen, plan("ab")).values()) == [seen[0]]
