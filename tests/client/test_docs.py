"""The examples of docs/client.md run as they stand."""

import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from tests.acceptance.installation import Installation
from tests.conftest import PASSWORD, REPOSITORY
from tests.pictures.uploading import picture


def test_examples_run(installation: Installation, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "client.md").read_text(encoding="utf-8")
    program = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    seed = uuid4().int % 10**6
    for number, name in enumerate(("shelf", "centre", "left", "right")):
        (tmp_path / f"{name}.jpg").write_bytes(picture(seed + number, size=(320, 240)))
    access = {"COLDSHELF_URL": installation.address, "COLDSHELF_USER": "admin", "COLDSHELF_PASSWORD": PASSWORD}

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{program}\nprint(len(frame), len(known), len(jpeg) > 1000)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY / "src"), **access},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert "Corner shop, new" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(" True")
    assert (tmp_path / "marks.json").exists()
