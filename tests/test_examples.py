"""The files at the root are those of a real run, and the published examples are reproduced."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.support.frames import parquet
from tests.support.shell import ROOT, published

# The command of both seed documents, and their two published values.
COMMAND = "run.py --input {} --config config.yaml --output metrics.json --log-file run.log"
CHANGING = re.compile(r"^\S+Z|(?<=latency_ms=)\d+|(?<=duration_ms=)\d+", re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("run.py", "config.yaml", "data.csv"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "rollsignal").symlink_to(ROOT / "rollsignal")
    return tmp_path


def run(
    folder: Path, data: str = "data.csv", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *COMMAND.format(data).split()],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_published_command_gives_the_example_metrics_and_log(checkout: Path) -> None:
    done = run(checkout)
    assert (done.returncode, done.stderr) == (0, "")
    metrics = [published((folder / "metrics.json").read_text()) for folder in (ROOT, checkout)]
    for document in metrics:
        latency = document.pop("latency_ms")
        assert isinstance(latency, int)
        assert latency > 0
    assert metrics[0] == metrics[1], "if you ran another job here, `git checkout metrics.json`"
    example, again = (CHANGING.sub("?", (at / "run.log").read_text()) for at in (ROOT, checkout))
    # Whoever runs the job here adds to the log: the example is its beginning.
    assert example.startswith(again)


def test_the_example_metrics_have_the_published_keys_and_values_in_their_order() -> None:
    document = published((ROOT / "metrics.json").read_text())
    document["latency_ms"] = 124
    assert list(document.items()) == [
        ("version", "v1"),
        ("rows_processed", 10_000),
        ("metric", "signal_rate"),
        ("value", 0.4991),
        ("latency_ms", 124),
        ("seed", 42),
        ("status", "success"),
    ]


def test_the_example_log_and_metrics_are_of_one_run() -> None:
    latency = published((ROOT / "metrics.json").read_text())["latency_ms"]
    log = (ROOT / "run.log").read_text()
    assert f" latency_ms={latency} " in log


def test_the_config_is_the_published_one() -> None:
    assert (ROOT / "config.yaml").read_text() == 'seed: 42\nwindow: 5\nversion: "v1"\n'


def test_the_other_published_value_is_that_of_warmup_zero(checkout: Path) -> None:
    with (checkout / "config.yaml").open("a") as config:
        config.write("warmup: zero\n")
    assert run(checkout).returncode == 0
    assert published((checkout / "metrics.json").read_text())["value"] == 0.4989


def test_the_published_failure_is_reproduced_to_the_letter(checkout: Path) -> None:
    done = run(checkout, "wrong.csv")
    assert done.returncode == 66
    assert (checkout / "metrics.json").read_text() == done.stdout
    assert done.stdout == (
        "{\n"
        '  "version": "v1",\n'
        '  "status": "error",\n'
        '  "error_message": "Input data file not found"\n'
        "}\n"
    )


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_make_run_writes_only_what_git_ignores(checkout: Path) -> None:
    for name in ("Makefile", "requirements.txt", "metrics.json", "run.log"):
        shutil.copy(ROOT / name, checkout)
    before = {path.name: path.read_bytes() for path in checkout.iterdir() if path.is_file()}
    environment = checkout / "environment"
    (environment / "bin").mkdir(parents=True)
    # A link to the Python of an environment would not find what is installed there.
    python = environment / "bin/python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (environment / ".runtime-installed").touch()
    done = subprocess.run(
        ["make", "run", f"VENV={environment}"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (checkout / "build/metrics.json").read_text() in done.stdout
    assert (checkout / "build/run.log").exists()
    after = {path.name: path.read_bytes() for path in checkout.iterdir() if path.is_file()}
    assert after == before
    assert "build/" in (ROOT / ".gitignore").read_text().splitlines()


def test_two_runs_give_identical_metrics(checkout: Path) -> None:
    documents = []
    for _ in range(2):
        assert run(checkout).returncode == 0
        document = published((checkout / "metrics.json").read_text())
        documents.append(document | {"latency_ms": 0})
    assert documents[0] == documents[1]


@pytest.mark.parametrize(
    ("module", "package", "code"), [("yaml", "pyyaml", 78), ("polars", "polars", 66)]
)
def test_a_library_that_is_not_installed_is_named_and_leaves_error_metrics(
    checkout: Path, module: str, package: str, code: int
) -> None:
    (checkout / "bars.parquet").write_bytes(parquet(pl.DataFrame({"close": [1.0, 2.0]})))
    (checkout / "metrics.json").write_text('{"status": "success"}\n')
    (checkout / "sitecustomize.py").write_text(f"import sys\nsys.modules['{module}'] = None\n")
    done = run(checkout, "bars.parquet", {**os.environ, "PYTHONPATH": str(checkout)})
    assert done.returncode == code
    message = f"the Python package {package} is not installed"
    assert done.stderr == f"rollsignal: error: {message} (pip install {package})\n"
    document = published((checkout / "metrics.json").read_text())
    assert document["status"] == "error"
    assert document["error_message"] == message
