"""What Spark cannot decide is refused before Spark is started, or even looked for."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.shell import CONFIG, Job, error

ASKED = "--engine=spark"


def test_without_spark_the_run_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_spec("pyspark"):
        pytest.skip("Spark is installed here")
    job = Job(tmp_path)
    assert job.run(ASKED) == 78
    message = "Spark cannot be used: No module named 'pyspark'"
    assert job.metrics() == error("v1", message)
    assert "pip install 'rollsignal[spark]'" in capsys.readouterr().err


def test_an_input_that_is_missing_is_refused_in_the_usual_words(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.input.unlink()
    assert job.run(ASKED) == 66
    assert job.metrics() == error("v1", "Input data file not found")


def test_a_device_is_refused_in_the_usual_words(tmp_path: Path) -> None:
    job = Job(tmp_path)
    assert job.run(ASKED, input="/dev/null") == 66
    message = "Input data file is a device, not a regular file"
    assert job.metrics() == error("v1", message)


def test_standard_input_is_refused(tmp_path: Path) -> None:
    job = Job(tmp_path)
    assert job.run(ASKED, input="-") == 78
    message = "The input - needs all bars in one process, and engine is spark"
    assert job.metrics() == error("v1", message)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    job, pipe = Job(tmp_path), tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDWR)
    os.write(reading, b"close\n1\n")
    try:
        assert job.run(ASKED, input=pipe) == 78
    finally:
        os.close(reading)
    message = f"The input {pipe} needs all bars in one process, and engine is spark"
    assert job.metrics() == error("v1", message)


@pytest.mark.parametrize(
    ("config", "flags", "what"),
    [
        ("", ["--state=s.state"], "--state"),
        ("duplicates: same\n", [], "duplicates: same"),
    ],
)
def test_what_needs_one_process_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, flags: list[str], what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    job = Job(tmp_path, config=CONFIG + "engine: spark\n" + config)
    assert job.run(*flags) == 78
    message = f"{what} needs all bars in one process, and engine is spark"
    assert job.metrics() == error("v1", message)
