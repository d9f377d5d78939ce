"""A table of a catalog is read by Spark, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.shell import Job


@pytest.mark.parametrize("engine", ["local", "plain"])
def test_only_spark_reads_a_table(
    tmp_path: Path, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(tmp_path)
    assert job.run(f"--engine={engine}", input="table:main.bars") == 2
    message = "table:main.bars is a table, which only Spark reads (add --engine spark;"
    assert message in capsys.readouterr().err
    assert job.metrics()["status"] == "error"


def test_a_file_that_is_called_like_a_table_is_read_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path)
    monkeypatch.chdir(tmp_path)
    job.input.rename(tmp_path / "table:bars")
    assert job.run(input="./table:bars") == 0
