"""`coldshelf reprocess`, run as a person runs it, without any worker beside it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.compliance.cooler import Cooler
from tests.recognition.scripted import install, process

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture
def environment(url: str, run: Runtime, tmp_path: Path) -> dict[str, str]:
    """The same database and pictures as `run` has, and a package with a recogniser that sees empty coolers."""
    packages = tmp_path / "packages"
    packages.mkdir()
    install(packages)
    return {
        "COLDSHELF_DATABASE_URL": url,
        "COLDSHELF_DATA_DIR": str(run.settings.data_dir),
        "PYTHONPATH": os.pathsep.join([str(packages), str(REPOSITORY), os.environ.get("PYTHONPATH", "")]),
    }


def reprocess(*arguments: str, answer: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coldshelf.entrypoints", "reprocess", "--client", "demo", *arguments],
        env={**os.environ, "COLUMNS": "200", **environment},
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
async def cooler(run: Runtime, client_id: ClientId) -> Cooler:
    made = await Cooler.make(run, client_id, ["abc"])
    await process(made, "abc")
    return made


async def test_differences_are_shown_and_nothing_is_replaced(cooler: Cooler, environment: dict[str, str]) -> None:
    done = reprocess("--all", "--recogniser", "scripted", **environment)

    assert done.returncode == 0, done.stderr
    assert "1 pictures, 1 ready, 1 of them differ, 0 failed" in done.stdout
    assert "TotalFacings 3 → 0" in " ".join(done.stdout.split())
    assert await cooler.value("SELECT max(number) FROM recognition_result") == 1


async def test_what_was_shown_is_replaced_after_a_yes_and_not_after_a_no(
    cooler: Cooler, environment: dict[str, str]
) -> None:
    chosen = ("--picture", str(cooler.picture_id), "--recogniser", "scripted", "--apply")
    refused = reprocess(*chosen, answer="n\n", **environment)
    assert "Replace the results of 1 pictures?" in refused.stderr
    assert await cooler.value("SELECT max(number) FROM recognition_result") == 1

    done = reprocess("--run", "1", "--apply", answer="y\n", **environment)

    assert done.returncode == 0, done.stderr
    assert "1 applied, 0 stale, 0 failed" in done.stdout
    assert await cooler.value("SELECT max(number) FROM recognition_result WHERE is_served") == 2
    assert await cooler.value("SELECT total_facings FROM picture_kpi") == 0
    assert await cooler.value("SELECT count(*) FROM event_step WHERE done_on IS NULL") == 0


async def test_json_holds_the_run_and_every_picture(cooler: Cooler, environment: dict[str, str]) -> None:
    wanted = json.dumps({"AssetPurityId": cooler.picture_id})

    done = reprocess("--filter", wanted, "--recogniser", "scripted", "--apply", "--yes", "--json", **environment)

    document = json.loads(done.stdout)
    assert (document["run"]["Applied"], document["run"]["Recogniser"]) == (1, "scripted")
    assert (document["totals"]["Gone"], document["totals"]["Renames"]) == (3, [])
    (picture,) = document["pictures"]
    assert [one["change"] for one in picture["Differences"]] == ["gone", "gone", "gone"]
    assert {"name": "TotalFacings", "before": 3, "after": 0} in picture["KpiDifferences"]


async def test_wrong_choices_end_with_the_cure(cooler: Cooler, environment: dict[str, str]) -> None:
    nothing = reprocess(**environment)
    both = reprocess("--run", "1", "--all", **environment)
    unknown = reprocess("--run", "77", **environment)

    assert [done.returncode for done in (nothing, both, unknown)] == [1, 1, 1]
    assert "No processed picture is chosen" in nothing.stderr
    assert "leave out --picture, --filter and --all" in " ".join(both.stderr.split())
    assert "There is no Reprocessing with id 77" in unknown.stderr
    assert "Traceback" not in nothing.stderr + both.stderr + unknown.stderr
