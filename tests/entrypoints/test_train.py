"""`coldshelf train`, run as a person runs it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.recognition.training.folders import drawn_folder

COMMAND = [sys.executable, "-m", "coldshelf.entrypoints"]


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False)


def test_help_does_not_load_what_only_training_needs() -> None:
    done = _python(
        "import sys\n"
        "from coldshelf.entrypoints.cli import build_app\n"
        "build_app()(['--help'], standalone_mode=False)\n"
        "build_app()(['train', '--help'], standalone_mode=False)\n"
        "sys.exit(bool({'torch', 'onnx'} & set(sys.modules)))"
    )

    assert done.returncode == 0, done.stderr
    assert "--take-anyway" in done.stdout


def test_without_torch_the_cure_is_said(tmp_path: Path) -> None:
    done = _python(
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from coldshelf.entrypoints.cli import main\n"
        f"sys.argv = ['coldshelf', 'train', 'folder', '--out', {str(tmp_path / 'out')!r}]\n"
        "main()"
    )

    assert done.returncode == 1
    assert "torch" in done.stderr
    assert "pip install 'coldshelf[train]'" in done.stderr
    assert "make train-tools" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_terminated_training_goes_on_by_the_same_command(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed: make train-tools")
    pytest.importorskip("onnx", reason="onnx is not installed: make train-tools")
    folder, out = drawn_folder(tmp_path / "coolers"), tmp_path / "out"
    command = [*COMMAND, "train", str(folder), "--out", str(out), "--json"]
    command += ["--only", "embedding", "--embedding-steps", "5", "--rendered", "0"]

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Training the embedding: 1/5"):
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stderr.read()
    again = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=240, check=False)

    assert process.returncode == 130, rest
    assert "the same command goes on from there" in rest
    assert "Training the embedding: 1/5" not in again.stderr
    assert "Training the embedding: 5/5" in again.stderr
    found = json.loads(again.stdout)
    assert again.returncode == (0 if found["taken"] else 3), again.stderr
    assert (out / ("model" if found["taken"] else "candidate") / "MODEL_CARD.md").is_file()
