"""The order of the rooms is checked with the tests, not only by `make check`."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


def test_rooms_import_in_flow_order_only() -> None:
    linter = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run([linter], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout[-3000:]
