"""What was found in a picture, in short: for people who only want to know what stands there and what is missing."""

from collections import Counter

from coldshelf.compliance.service import planned_places
from coldshelf.kit.db import Connection
from coldshelf.masterdata import service as masterdata
from coldshelf.pictures.link_pages import Shelf
from coldshelf.pictures.service import renditions
from coldshelf.recognition import service as recognition


async def find_shelf(connection: Connection, picture_id: int) -> Shelf | None:
    """Give what the served result of a picture says; None where there is none.

    Facings are counted as `TotalStock`, missing products as `OutOfStockSKUs`.
    """
    picture = await renditions.load_picture(connection, picture_id)
    result = await recognition.served_result(connection, picture_id)
    if picture is None or result is None:
        return None
    standing = [row for row in result.rows if row.stack_index == 0]
    named = [row for row in result.rows if not row.is_empty and not row.is_unknown]
    planned = {place.product_id for place in await planned_places(connection, picture)}
    lacking = planned - {row.product_id for row in named}
    names = await masterdata.product_names(connection, lacking)
    return Shelf(
        present=Counter(row.product_name for row in named if row.stack_index == 0).most_common(),
        missing=sorted(name for _, name in names.values()) if planned else None,
        unknown=sum(row.is_unknown for row in standing),
        gaps=sum(row.is_empty for row in standing),
    )
