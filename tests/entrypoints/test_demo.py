"""The demo, as a new user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

OPTIONS = ("--once", "--no-browser", "--coolers", "3")


def test_the_demo_ends_with_processed_pictures_annotations_and_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    for part in (tmp_path, *tmp_path.parents[:3]):
        assert os.access(part, os.X_OK)

    done = subprocess.run(
        [sys.executable, "-m", "coldshelf.entrypoints", "demo", "--data", folder, "--port", "0", *OPTIONS],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert "READY" in done.stdout
    assert done.stdout.count("Processed") == 3
    told = json.loads((folder / "demo.json").read_text())
    assert set(told) == {"url", "clientId", "users", "serialNumbers", "storeNumbers", "imeis"}
    assert set(told["users"]) == {"Client Admin", "Installer", "Sales Rep"}
    assert told["serialNumbers"] == ["DEMO-001", "DEMO-002", "DEMO-003"]
    assert len(list((folder / "annotated").glob("*.jpg"))) == 3
    assert len(list((folder / "exports").rglob("_runs/*/_SUCCESS"))) == 1
