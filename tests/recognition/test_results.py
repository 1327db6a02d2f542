"""What a recogniser saw of a facing reaches the product rows and the recognition JSON."""

from dataclasses import replace

import httpx

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.recognition.service import served_result
from tests.compliance.cooler import Cooler
from tests.records.support import Handler


async def test_everything_that_was_seen_of_a_facing_is_kept(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient
) -> None:
    cooler = await Cooler.make(run, client_id, None)
    base = replace(cooler.row("a", 1, 1), seen_confidence=70.5, stack_size=1, fill_level=25, capacity=6, door=2)
    top = replace(cooler.row("b", 1, 1), stack_index=1, seen_confidence=90.0, door=2)
    gap = replace(cooler.row("_", 1, 2), capacity=8)
    await cooler.serve([base, top, gap])

    records = await Handler(admin, "AssetPurityProduct").records()
    document = (await Handler(admin, "AssetPurity").post("GetFacings", AssetPurityId=cooler.picture_id)).json()
    async with run.database.scope(client_id, readonly=True) as connection:
        result = await served_result(connection, cooler.picture_id)

    names = ("Product", "Position", "StackIndex", "StackSize", "FillLevel", "Capacity", "Door", "SeenConfidence")
    assert [tuple(record[name] for name in names) for record in records] == [
        ("a", 1, 0, 1, 25, 6, 2, 70.5),
        ("b", 1, 1, 0, None, 0, 2, 90.0),
        ("_", 2, 0, 0, None, 8, 1, None),
    ]
    first, second = document["shelf"][0]["products"]
    assert (first["product"], first["capacity"], first["stackSize"]) == ("a", 6, 1)
    assert [one["product"] for one in first["stacked"]] == ["b"]
    assert (second["capacity"], second["stacked"]) == (8, None)
    assert result is not None
    assert [replace(row, id=0) for row in result.rows] == [base, top, gap]
