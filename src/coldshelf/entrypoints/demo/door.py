"""The demo's HTTP client: the published handlers, nothing else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from coldshelf.kit.errors import ColdshelfError

Record = dict[str, Any]  # a JSON record of a list


class DoorRefused(ColdshelfError):
    """The API refused a request of the demo"""

    code = "door_refused"


class Door:
    """Speaks to one installation as one user."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._http = httpx.Client(base_url=url, auth=(username, password), timeout=60)

    def close(self) -> None:
        self._http.close()

    def save(self, entity: str, values: Mapping[str, object]) -> int:
        """Save a record by its code; give its id."""
        answer = self._post(f"/controllers/{entity}.ashx?action=save", data=dict(values))
        if not answer.get("success"):
            raise DoorRefused(f"{entity}: {answer.get('info')}")
        return int(answer["id"])

    def add_reference_pictures(self, sku: str, pictures: Sequence[bytes]) -> None:
        files = [("file", (f"{sku}_{n}.jpg", picture)) for n, picture in enumerate(pictures)]
        answer = self._post("/controllers/ProductImage.ashx?action=save", data={"ProductSKU": sku}, files=files)
        if not answer.get("success"):
            raise DoorRefused(f"reference pictures of {sku}: {answer.get('info')}")

    def upload(self, serial_number: str, name: str, picture: bytes, **parameters: object) -> tuple[str, int]:
        """Upload one picture; give its GUID and AssetPurityId."""
        (result,) = self._post(
            "/Controllers/CoolRAPI.ashx?action=uploadImage",
            data={"SerialNumber": serial_number, **parameters},
            files=[("file", (name, picture))],
        )
        if not result["Success"]:
            raise DoorRefused(f"{name}: {result['Info']}")
        return str(result["UniqueGuid"]), int(result["AssetPurityId"])

    def records(self, dataset: str, filters: Mapping[str, object], limit: int = 500) -> Iterator[Record]:
        """Give every record that the filters let through, page by page."""
        start, total = 0, 1
        while start < total:
            parameters: dict[str, str | int] = {"action": "list", "start": start, "limit": limit}
            parameters["filters"] = json.dumps(filters)
            answer = self._http.get(f"/controllers/{dataset}.ashx", params=parameters).raise_for_status().json()
            yield from answer["records"]
            total = answer["totalRecords"]
            start += limit

    def preview(self, guid: str, image_type: str) -> bytes | None:
        answer = self._http.get("/controllers/CoolerImagePreview.ashx", params={"guid": guid, "imageType": image_type})
        return answer.content if answer.status_code == httpx.codes.OK else None

    def _post(self, path: str, **content: Any) -> Any:  # httpx's own parameters; the answer is any JSON
        answer = self._http.post(path, **content)
        if answer.status_code in {401, 403}:
            raise DoorRefused(f"{path}: {answer.status_code} {answer.text[:200]}")
        return answer.json()
