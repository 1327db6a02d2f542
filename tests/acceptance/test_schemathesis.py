"""Schemathesis on the served OpenAPI document: no fault, no undocumented answer. `SOAK=1` tries all of it, and long."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.installation import Installation, installed
from tests.conftest import PASSWORD

SOAK = bool(os.environ.get("SOAK"))
CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
RESOURCES = "^/(api/v1|health)" if SOAK else "^/(api/v1/(locations|assets|images|imports|limits)|health)"
HANDLERS = "^/controllers/" if SOAK else "^/controllers/(asset|assetpurity|coolrapi|coolerimagepreview).ashx"
EXAMPLES = "100" if SOAK else "3"
PHASES = "examples,coverage,fuzzing,stateful" if SOAK else "examples,fuzzing"
SEED = os.environ.get("COLDSHELF_TEST_SEED", "20261126")
NEVER = "ignored_auth"
"""Its wrong passwords soon get 429; tests/conformance/test_resources.py asks every resource without signing in."""
BY_CONTRACT = "negative_data_rejection,positive_data_acceptance"
"""Handlers of the contract answer wrong values with HTTP 200 and `success: false`, and take names in any case."""


@pytest.fixture
async def place() -> AsyncIterator[Installation]:
    async with installed(workers=0, environment={"COLDSHELF_REQUESTS_PER_MINUTE": "100000000"}) as found:
        yield found


async def check(place: Installation, paths: str, *excluded: str) -> None:
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        *("--config-file", str(CONFIGURATION), "run", f"{place.address}/openapi.json"),
        *("--auth", f"admin:{PASSWORD}", "--include-path-regex", paths, "--phases", PHASES),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--no-color", "--warnings", "off"),
        *("--exclude-checks", ",".join([NEVER, *excluded])),
    ]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=place.folder, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert "http.unexpected" not in place.log


@pytest.mark.timeout(0 if SOAK else 300)
async def test_resources_answer_as_they_are_documented(place: Installation) -> None:
    await check(place, RESOURCES)


@pytest.mark.timeout(0 if SOAK else 300)
async def test_handlers_answer_as_they_are_documented(place: Installation) -> None:
    await check(place, HANDLERS, BY_CONTRACT)
