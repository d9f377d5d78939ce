"""A run on Spark leaves what a run on this machine leaves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollsignal.engines.spark import cuts, engine
from tests.support.nights import CONFIG, HEADER, PANEL, bar
from tests.support.shell import Job, snapshot, strict_json

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OF_THE_RUN = (
    *("latency_ms", "process", "stages_ms", "stages_at_ms"),
    *("metrics", "outputs", "asked", "program", "checksum"),
)


def left_by(job: Job, name: str, *flags: str) -> dict[str, object]:
    """Run with outputs in a folder of their own; return all but what differs from run to run."""
    out = job.folder / name
    job.output, job.log = out / "m.json", out / "run.log"
    assert (
        job.run(
            *flags,
            *(f"--{kind}={out}/{kind}.csv" for kind in ("summary", "signals")),
            f"--record={out}/record.json",
        )
        == 0
    )
    left: dict[str, object] = dict(snapshot(out))
    del left["run.log"]
    for file in ("m.json", "record.json"):
        document = strict_json((out / file).read_text())
        left[file] = {key: each for key, each in document.items() if key not in OF_THE_RUN}
    return left


def test_all_outputs_are_those_of_this_machine(
    tmp_path: Path, session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path, "", PANEL)
    job.input.unlink()
    job.input = tmp_path / "bars"
    job.input.mkdir()
    for number in range(4):
        rows = [bar(60 * number + at, symbol="AB"[at % 2]) for at in range(60)]
        (job.input / f"{number}.csv").write_text(HEADER + "".join(rows))
    monkeypatch.setattr(engine, "LEAST_PIECE_BYTES", 1)
    assert left_by(job, "local") == left_by(job, "spark", "--engine=spark")
    record = strict_json((tmp_path / "spark/record.json").read_text())
    assert record["program"]["engine"] == "spark"


def test_a_run_that_sorts_one_series_leaves_what_this_machine_leaves(
    tmp_path: Path, session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path, "", CONFIG + "sort: true\nduplicates: same\n")
    job.input.unlink()
    job.input = tmp_path / "bars"
    job.input.mkdir()
    for number in range(3):
        rows = [bar(at) for at in range(60 - number, 0, -2)]
        (job.input / f"{number}.csv").write_text(HEADER + "".join(rows))
    monkeypatch.setattr(engine, "LEAST_PIECE_BYTES", 1)
    monkeypatch.setattr(cuts, "LEAST_PIECE_ROWS", 20)
    monkeypatch.setattr(cuts, "LEAST_PIECE_WINDOWS", 0)
    assert left_by(job, "local") == left_by(job, "spark", "--engine=spark")
