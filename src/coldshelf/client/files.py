"""Files: export and import."""

from collections.abc import Mapping
from pathlib import Path

from coldshelf.client.core import KEY, Ask, Call, File, Json, Reply, Steps, Wait, new_key
from coldshelf.client.errors import ImportRefused, Refused
from coldshelf.client.lists import Wanted, handler
from coldshelf.client.models import BadCell, Exported, ImportReport

IMPORT = "/controllers/import.ashx"
FORMATS = {".csv": "CSV", ".xlsx": "XLSX", ".xml": "XML"}
RUNNING = frozenset({"waiting", "reading", "checking", "writing"})
LOOK_EVERY = 2.0


def export(ask: Ask, wanted: Wanted, path: Path, file_format: str | None) -> Steps[Exported]:
    """Write an export to a file, which appears only when it is whole."""
    chosen = file_format or FORMATS.get(path.suffix.lower())
    if chosen is None:
        raise ValueError(f"{path.name}: name the file .csv, .xlsx or .xml, or say its format")
    part = path.with_name(f"{path.name}.part")
    form = {"action": "export", "exportFormat": chosen, **wanted.parameters()}
    try:
        reply = yield from ask(Call(path=handler(wanted.dataset), form=tuple(form.items()), sink=part))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    total = reply.headers.get("x-total-records")
    return Exported(path, int(total) if total else None, reply.headers.get("x-truncated") == "true")


def template(ask: Ask, kind: str, path: Path) -> Steps[Path]:
    """Write the file to fill in for a type of import."""
    query = {"action": "template", "type": kind, "format": path.suffix.lower().removeprefix(".") or "xlsx"}
    yield from ask(Call(method="GET", path=IMPORT, query=query, sink=path))
    return path


def check_file(ask: Ask, kind: str, path: Path, options: Mapping[str, str]) -> Steps[ImportReport]:
    """Check a file; nothing is written."""
    reply = yield from ask(_import_call(kind, path, {**options, "check": "1"}, {}))
    return _report(reply)


def import_file(ask: Ask, kind: str, path: Path, options: Mapping[str, str], key: str | None) -> Steps[ImportReport]:
    """Import a file as a whole and wait until it is done; raise ImportRefused with the bad cells."""
    reply = yield from ask(_import_call(kind, path, options, {KEY: key or new_key()}))
    report = _report(reply)
    while report.state in RUNNING:
        yield Wait(LOOK_EVERY)
        query = {"action": "status", "id": report.import_id}
        reply = yield from ask(Call(method="GET", path=IMPORT, query=query))
        report = _report(reply)
    if not report.success:
        raise ImportRefused(f"{path.name}: {report.error_count} bad cells, nothing was imported", report)
    return report


def _import_call(kind: str, path: Path, options: Mapping[str, str], headers: Mapping[str, str]) -> Call:
    return Call(
        path=IMPORT,
        query={"type": kind},
        form=tuple(options.items()),
        files=(File("file", path.name, path.read_bytes()),),
        headers=headers,
    )


def _report(reply: Reply) -> ImportReport:
    body = reply.json()
    if body.get("success") is False and "errors" not in body:
        raise Refused(str(body.get("info", "refused")), status=reply.status, request_id=reply.request_id)
    return ImportReport(
        success=body["success"],
        import_id=body.get("importId", ""),
        state=body.get("state", ""),
        total_rows=body.get("totalRows") or 0,
        inserted=body.get("inserted") or body.get("toInsert") or 0,
        updated=body.get("updated") or body.get("toUpdate") or 0,
        error_count=body.get("errorCount") or 0,
        errors=tuple(_cell(item) for item in body.get("errors", ())),
        warnings=tuple(body.get("warnings", ())),
    )


def _cell(item: Json) -> BadCell:
    return BadCell(
        row=item["row"],
        column=item["column"],
        value=str(item["value"]),
        message=item["message"],
        rule=item.get("rule", ""),
        cure=item.get("cure", ""),
    )
