"""A run on several processes leaves what a run in one leaves, however it ends."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rollsignal
from rollsignal.commands import plan
from rollsignal.commands.plan import resolve
from rollsignal.config.reading import read_config
from rollsignal.core.decisions import PlainDecided
from rollsignal.engines import cores, pieces
from rollsignal.engines.local import LocalEngine
from rollsignal.engines.runner import Processes
from rollsignal.files import fingerprints
from rollsignal.outputs.state.document import load_state
from rollsignal.outputs.state.history import History
from tests.support.nights import HEADER, PANEL, bar
from tests.support.shell import (
    ENVIRONMENT,
    ROOT,
    Job,
    command,
    error,
    published,
    snapshot,
    strict_json,
)
from tests.support.work import OutOfMemory, children_of, is_running, until


class Cut(Job):
    """A job whose input is a folder of files, each of which is a piece."""

    def __init__(self, folder: Path, config: str = PANEL) -> None:
        super().__init__(folder, "", config)
        self.input.unlink()
        self.input = folder / "bars"
        self.input.mkdir()
        for number in range(4):
            rows = [bar(60 * number + at, symbol="AB"[at % 2]) for at in range(60)]
            (self.input / f"{number}.csv").write_text(HEADER + "".join(rows))

    def decided(self, workers: object, name: str, *more: str) -> int:
        """Run with outputs in a folder of their own."""
        out = self.folder / name
        self.output, self.log = out / "m.json", out / "run.log"
        flags = [f"--{kind}={out}/{kind}.{suffix}" for kind, suffix in OUTPUTS.items()]
        return self.run(f"--workers={workers}", *flags, *more)

    def left(self, name: str) -> dict[str, object]:
        """Return all that a run left, without what differs from run to run."""
        found: dict[str, object] = dict(snapshot(self.folder / name))
        del found["run.log"]
        for file in ("m.json", "record.json"):
            document = strict_json((self.folder / name / file).read_text())
            found[file] = {key: each for key, each in document.items() if key not in OF_THE_RUN}
        return found


OUTPUTS = {"record": "json", "summary": "csv", "signals": "csv"}
OF_THE_RUN = (
    *("latency_ms", "process", "stages_ms", "stages_at_ms"),
    *("metrics", "outputs", "asked", "program", "checksum"),
)


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let files of any size be pieces; return a list of the workers of each pool that is made."""
    counts: list[int] = []

    def make(workers: int) -> Processes:
        counts.append(workers)
        return Processes(workers)

    monkeypatch.setattr(pieces, "Processes", make)
    monkeypatch.setattr(pieces, "LEAST_BYTES", 1)
    # As if all files had been written long ago: otherwise the time since then shows in records.
    monkeypatch.setattr(fingerprints, "CLOCK_STEP_NS", -(10**18))
    return counts


def test_all_outputs_are_those_of_one_process(tmp_path: Path, pools: list[int]) -> None:
    job = Cut(tmp_path)
    assert [job.decided(workers, f"out{workers}") for workers in (1, 2, 5)] == [0, 0, 0]
    assert pools == [2, 5]
    assert job.left("out1") == job.left("out2") == job.left("out5")
    assert strict_json((tmp_path / "out5/record.json").read_text())["tally"]["rows"] == 240


def test_a_state_and_a_range_are_those_of_one_process(tmp_path: Path, pools: list[int]) -> None:
    job, left = Cut(tmp_path), []
    for workers in (1, 3):
        state = f"--state={tmp_path}/out{workers}/s.state"
        span = ["--since=2024-01-02", "--until=2024-01-04"]
        assert job.decided(workers, f"out{workers}", state) == 0
        saved = load_state(f"{tmp_path}/out{workers}/s.state")
        left.append(saved)
        assert job.decided(workers, f"span{workers}", *span) == 0
    assert left[0]
    assert left[0] == left[1]
    assert pools == [3, 3]
    assert job.left("span1") == job.left("span3")


def test_the_first_night_of_a_panel_leaves_the_same_whatever_decimals_its_series_have(
    tmp_path: Path, pools: list[int]
) -> None:
    job, left = Cut(tmp_path), []
    for path in sorted(job.input.iterdir()):
        rows = pl.read_csv(path, try_parse_dates=True)
        # The symbol of a later file has fewer decimals, though all are decided together.
        name, unit = (("A", 8), ("B", 1))[int(path.stem) % 2]
        rows = rows.with_columns(pl.lit(name).alias("symbol"), pl.col("close") / unit)
        rows.write_parquet(path.with_suffix(".parquet"))
        path.unlink()
    for workers in (1, 3):
        state = tmp_path / f"state{workers}"
        state.mkdir()
        assert job.run(f"--state={state}/s.state", f"--workers={workers}") == 0
        left.append(snapshot(state))
    assert left[0] == left[1]
    assert sorted(left[0]) == ["s.state", "s.state.0.bars"]
    assert pools == [3]


def test_bars_that_killed_runs_left_for_a_state_are_removed_by_the_next(
    tmp_path: Path, pools: list[int]
) -> None:
    job = Cut(tmp_path)
    left = tmp_path / ".s.state.999999999.tmp.bars1"
    left.write_bytes(bytes(25))
    assert job.run(f"--state={tmp_path}/s.state", "--workers=2") == 0
    assert pools == [2]
    assert not left.exists()
    assert not list(tmp_path.glob(".*"))


def test_bars_of_a_piece_are_removed_if_they_are_not_put_together(tmp_path: Path) -> None:
    history = History(str(tmp_path / "s.state"), 0, (), ())
    history.files = {"bars.csv": 0}
    part = pickle.loads(pickle.dumps(history.sent_part()))
    part.take(PlainDecided("bars.csv", ["A"], None, [1, 2], None, [5, 6], [None, 1], 0))
    assert Path(part.end().path).stat().st_size == 50
    history.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s.state.0.bars"]


@pytest.mark.parametrize("level", ["warn", "error"])
def test_gaps_in_time_are_those_of_one_process(
    tmp_path: Path, pools: list[int], level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job, codes, told = Cut(tmp_path, f"{PANEL}checks: {{gaps: {level}}}\n"), [], []
    for workers in (1, 2):
        codes.append(job.decided(workers, f"out{workers}"))
        told.append(capsys.readouterr().err)
    assert codes == ([65, 65] if level == "error" else [0, 0])
    assert job.left("out1") == job.left("out2")
    assert told[0] == told[1]
    assert "0.csv line 52: a step of 23:12:00 before 2024-01-02T00:00:00Z of 'A'" in told[1]
    assert pools == [2]


def test_the_first_error_is_that_of_one_process(tmp_path: Path, pools: list[int]) -> None:
    job, told = Cut(tmp_path), []
    for name in ("2.csv", "3.csv"):
        with (job.input / name).open("a") as file:
            file.write("2023-01-01 00:00:00,A,1\n")
    for workers in (1, 2):
        assert job.decided(workers, f"out{workers}") == 65
        told.append(job.metrics())
        assert sorted(snapshot(tmp_path / f"out{workers}")) == ["m.json", "record.json", "run.log"]
    assert told[0] == told[1]
    assert "/2.csv line 62: timestamp is earlier" in str(told[0]["error_message"])
    assert pools == [2]


def test_what_cannot_be_cut_starts_no_process(tmp_path: Path, pools: list[int]) -> None:
    job = Cut(tmp_path)
    job.config.write_text(f"{PANEL}sort: true\n")
    assert job.run("--workers=2") == 0
    assert pools == []


def test_the_flag_goes_before_the_setting(tmp_path: Path, pools: list[int]) -> None:
    job = Cut(tmp_path, f"{PANEL}workers: 3\n")
    assert job.run() == job.run("--workers=2") == job.run("--workers=1") == 0
    assert pools == [3, 2]


@pytest.mark.parametrize(
    ("size", "count", "asked", "workers"),
    [
        (10**6, 8, "auto", None),
        (2 * plan.WORKER_BYTES - 1, 8, "auto", None),
        (3 * plan.WORKER_BYTES, 8, "auto", 3),
        (99 * plan.WORKER_BYTES, 8, "auto", 8),
        (99 * plan.WORKER_BYTES, 2, "auto", None),
        (99 * plan.WORKER_BYTES, 3, "auto", 3),
        (99 * plan.WORKER_BYTES, 8, 1, None),
        (10**6, 8, 16, 16),
    ],
)
def test_usually_large_inputs_are_decided_on_all_cores_and_small_ones_on_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: int,
    count: int,
    asked: Any,
    workers: int | None,
) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: count)
    job = Job(tmp_path)
    with job.input.open("r+b") as file:
        file.truncate(size)
    engine = resolve(job.request._replace(workers=asked), read_config(str(job.config))).engine
    assert engine.name == "local"
    assert isinstance(engine, LocalEngine) == (workers is None)
    assert getattr(engine, "workers", None) == workers


@pytest.mark.parametrize("text", ["0", "1025", "-1", "two", "1.5", "010x", "٣", "", "9" * 5000])
def test_a_wrong_number_of_workers_is_refused(tmp_path: Path, text: str) -> None:
    job = Job(tmp_path)
    assert job.run(f"--workers={text}") == 2
    message = str(job.metrics()["error_message"])
    assert message.startswith("argument --workers: ")
    assert "between 1 and 1,024" in message or "neither a whole number nor auto" in message


@pytest.mark.parametrize("value", ["0", "1025", "-1", "two", "1.5", "010", "'2'", "[2]", "null"])
def test_a_wrong_setting_of_workers_is_refused(tmp_path: Path, value: str) -> None:
    job = Job(tmp_path, config=f'seed: 42\nwindow: 2\nversion: "v1"\nworkers: {value}\n')
    assert job.run() == 78
    assert " line 4: workers is " in str(job.metrics()["error_message"])


@pytest.mark.parametrize("workers", [0, 1025, True, 2.0, "2", "two"])
def test_from_python_a_wrong_number_of_workers_is_a_value_error(workers: Any) -> None:
    with pytest.raises(ValueError, match="neither a whole number between 1 and 1,024 nor 'auto'"):
        rollsignal.run(workers=workers)


def test_workers_decide_nothing_so_nothing_minds_their_number(
    tmp_path: Path, pools: list[int]
) -> None:
    job, state = Cut(tmp_path), f"--state={tmp_path}/s.state"
    record = f"--record={tmp_path}/r.json"
    for more in ("", "workers: 2\n", "workers: auto\n"):
        job.config.write_text(PANEL + more)
        assert job.run(state, record, "--if-changed") == 0
    assert sum("nothing changed" in line for line in job.events()) == 2
    job.config.write_text(f"{PANEL}workers: 3\n")
    assert job.run(state) == 0
    assert job.run(record) == 0
    assert command("verify", str(tmp_path / "r.json")) == 0
    assert pools == [3]


def test_memory_that_runs_out_in_a_worker_ends_the_run_as_in_one_process(
    tmp_path: Path, pools: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "FirstPass", OutOfMemory)
    job = Cut(tmp_path)
    assert job.decided(2, "out") == 71
    assert job.metrics() == error("v", "not enough memory: no room")
    assert sorted(snapshot(tmp_path / "out")) == ["m.json", "record.json", "run.log"]
    assert pools == [2]


# A run in which files of any size are pieces.
SMALL_PIECES = """
import sys
sys.path.insert(0, sys.argv[1])
from rollsignal.engines import pieces
pieces.LEAST_BYTES = 1
from rollsignal.cli.main import main
sys.exit(main(["run", *sys.argv[2:]]))
"""


@contextmanager
def halted(job: Cut) -> Iterator[tuple[subprocess.Popen[str], Sequence[int]]]:
    """Start a run on two processes, and stop these in the middle of their work."""
    for path in job.input.iterdir():
        # Read cell by cell, for its quotes, which takes a while.
        rows = [f'"{row[:19]}"{row[19:]}' for row in path.read_text().splitlines()[1:]]
        path.write_text(HEADER + "\n".join(rows * 1000) + "\n")
    flags = job.arguments("--workers=2", f"--signals={job.folder}/s.csv")
    run = subprocess.Popen(
        [sys.executable, "-c", SMALL_PIECES, str(ROOT), *flags],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    workers: Sequence[int] = ()
    try:
        assert until(lambda: len(children_of(run.pid, b"engines.worker")) == 2)
        workers = children_of(run.pid)
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        yield run, workers
    finally:
        run.kill()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        run.communicate()


@pytest.mark.parametrize(("number", "name"), [(15, "SIGTERM"), (2, "SIGINT")])
def test_a_stop_leaves_one_line_error_metrics_and_no_process(
    tmp_path: Path, number: int, name: str
) -> None:
    job = Cut(tmp_path)
    message = f"Stopped by {name} before the end"
    with halted(job) as (run, workers):
        run.send_signal(number)
        printed, told = run.communicate(timeout=20)
        assert run.returncode == 128 + number
        assert not any(map(is_running, workers))
    assert told == f"rollsignal: error: {message}\n"
    assert job.metrics() == published(printed) == error("v", message)
    assert sorted(os.listdir(tmp_path)) == ["bars", "config.yaml", "metrics.json", "run.log"]


def test_a_run_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    job = Cut(tmp_path)
    with halted(job) as (run, workers):
        run.kill()
        run.wait()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)
        assert until(lambda: not any(map(is_running, workers)), seconds=5)
    assert not job.output.exists()
    for path in job.input.iterdir():
        path.write_text("\n".join(path.read_text().splitlines()[:61]) + "\n")
    assert job.run(f"--signals={tmp_path}/s.csv") == 0
    assert not list(tmp_path.glob(".*")), "the next run removes what is left"


def test_a_worker_that_is_killed_ends_the_run(tmp_path: Path) -> None:
    job = Cut(tmp_path)
    with halted(job) as (run, workers):
        os.kill(workers[0], signal.SIGKILL)
        printed, told = run.communicate(timeout=20)
        assert run.returncode == 74
        assert not any(map(is_running, workers))
    message = "A worker process was ended by Killed (signal 9) before its work was done"
    assert job.metrics() == published(printed) == error("v", message)
    assert told.startswith(f"rollsignal: error: {message} (if memory ran out, run with --workers 1")
    assert told.count("\n") == 1
    assert sorted(os.listdir(tmp_path)) == ["bars", "config.yaml", "metrics.json", "run.log"]


def test_a_program_needs_no_guard_for_its_main_module(tmp_path: Path) -> None:
    job = Cut(tmp_path)
    paths = [str(job.input), str(job.config), str(job.output), str(job.log)]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import rollsignal; "
        "from rollsignal.engines import pieces; pieces.LEAST_BYTES = 1; print('once', flush=True); "
        "print(rollsignal.run(*sys.argv[2:], workers=2)['rows_processed'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), *paths], capture_output=True, text=True, check=True
    )
    assert done.stdout == "once\n240\n"
    assert json.loads(job.output.read_text())["status"] == "success"
