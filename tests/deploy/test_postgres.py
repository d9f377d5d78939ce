"""Facts about deploy/postgres.sql: the tables have the signals of a run, or nothing has changed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.postgres import Postgres
from tests.support.shell import CONFIG, Recorded

pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(
        postgres.BINARIES is None,
        reason="PostgreSQL 15 is not installed here, so nothing was loaded into a table",
    ),
]

GAPS = CONFIG + "missing: gap\n"
DAILY = "date,symbol,close\n" + "".join(
    f"2024-01-{day:02d},{symbol},{close}\n"
    for symbol, closes in (("BTC", "3 1 4 1 5 9 2 6"), ("ETH", "2 7 1 8"))
    for day, close in enumerate(closes.split(), start=1)
)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres.running() as server:
        yield server


@pytest.fixture
def database(server: Postgres, request: pytest.FixtureRequest) -> Postgres:
    """Return the server with tables of their own for each test."""
    server.tables = f"of_{abs(hash(request.node.name))}"
    return server


class Signals(Recorded):
    """A job that leaves signals and a record, which are loaded into tables."""

    def __init__(self, folder: Path, bars: str, config: str = CONFIG) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, bars, config)
        self.signals = folder / "signals.csv"
        self.decide()

    def decide(self, *more: str) -> None:
        assert self.run(f"--signals={self.signals}", *more) == 0

    def load(self, database: Postgres, *words: str) -> None:
        done = self._load(database, *words)
        assert (done.returncode, done.stderr) == (0, "")

    def refused(self, database: Postgres, *words: str) -> str:
        """Return why they are not loaded, and see that nothing has changed."""
        before = database.snapshot()
        done = self._load(database, *words)
        assert done.returncode == 3
        assert database.snapshot() == before
        assert done.stderr.count("ERROR:") == 1
        return done.stderr.partition("ERROR:  ")[2]

    def rows(self) -> list[list[str]]:
        """Return the rows of the file with the digest of the record, in the order of tables."""
        digest = self.read()["digest"]
        with open(self.signals, encoding="utf-8", newline="") as file:
            rows = [[*row, digest] for row in list(csv.reader(file))[1:]]
        for row in rows:
            # A numeric has no exponent.
            row[3] = f"{Decimal(row[3]):f}" if "e" in row[3] else row[3]
        return sorted(rows, key=lambda row: (row[1].encode(), row[0].replace("Z", ".")))

    def _load(self, database: Postgres, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            database.load_command(self.record, self.signals, *words),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )


def test_the_table_has_the_signals_as_they_are_written(database: Postgres, tmp_path: Path) -> None:
    closes = ["1.10", "-0.5", "", "12345678901234567890.123456789012345678901", "1e-30", "7", "7"]
    symbols = ["BTC", "a,b", 'say "x"', "it's", "\\.", "\\N", "naïve 株", "two\nlines", "a b"]
    quoted = ['"' + symbol.replace('"', '""') + '"' for symbol in symbols]
    bars = "".join(
        f"2024-01-0{1 + number}T01:02:03{fraction},{symbol},{close}\n"
        for symbol in quoted
        for fraction in ("", ".000001")
        for number, close in enumerate(closes)
    )
    job = Signals(tmp_path / "it's a $(job)", f"time,symbol,close\n{bars}", GAPS + "sort: true\n")
    job.load(database)
    assert database.rows() == job.rows()
    assert {row[1] for row in job.rows()} == set(symbols)
    assert len(job.rows()) == len(symbols) * 2 * len(closes)
    (digest, record) = database.query(f"select * from {database.tables}.runs").split("|", 1)
    assert digest == job.read()["digest"]
    assert json.loads(record) == json.loads(job.record.read_text())


def test_a_symbol_that_a_spreadsheet_would_run_is_in_the_table_as_it_is(
    database: Postgres, tmp_path: Path
) -> None:
    symbols = ("'x", "-B", "=A1")
    rows = [f"2024-01-0{day},{symbol},1\n" for symbol in symbols for day in (1, 2)]
    job = Signals(tmp_path, "date,symbol,close\n" + "".join(rows))
    job.load(database)
    assert list(dict.fromkeys(row[1] for row in database.rows())) == list(symbols)


def test_a_run_that_is_loaded_twice_changes_nothing(database: Postgres, tmp_path: Path) -> None:
    job = Signals(tmp_path, DAILY)
    job.load(database)
    before = database.snapshot()
    job.load(database)
    assert database.snapshot() == before


def test_restated_bars_are_replaced_and_bars_that_are_gone_are_removed(
    database: Postgres, tmp_path: Path
) -> None:
    former = Signals(tmp_path / "former", DAILY)
    former.load(database)
    restated = DAILY.replace("03,BTC,4", "03,BTC,0.5").replace("2024-01-06,BTC,9\n", "")
    assert restated != DAILY
    job = Signals(tmp_path / "restated", restated + "2024-01-05,ETH,9\n")
    job.load(database)
    assert database.rows() == job.rows()
    assert database.query(f"select count(*) from {database.tables}.runs") == "2\n"
    assert "a run that started later" in former.refused(database)


def test_a_range_of_time_replaces_its_bars_and_leaves_the_others(
    database: Postgres, tmp_path: Path
) -> None:
    job = Signals(tmp_path, DAILY)
    job.load(database)
    whole = [row[:-1] for row in job.rows()]
    job.decide("--since=2024-01-04", "--until=2024-01-06")
    job.load(database)
    assert [row[:-1] for row in database.rows()] == whole
    assert {row[0][:10] for row in database.rows() if row in job.rows()} == {
        "2024-01-04",
        "2024-01-05",
    }


def test_a_load_that_is_killed_at_any_moment_has_loaded_all_or_nothing(
    database: Postgres, tmp_path: Path
) -> None:
    job = Signals(tmp_path / "former", DAILY)
    job.load(database)
    before = database.snapshot()
    later = Signals(tmp_path / "later", DAILY.replace("07,BTC,2", "07,BTC,0.25"))
    # All rows are with the server, and it waits for their hash.
    slow = tmp_path / "bin"
    slow.mkdir()
    reached = tmp_path / "reached"
    (slow / "sha256sum").write_text(f"#!/bin/sh\ncat > /dev/null\n: > {reached}\nexec sleep 60\n")
    (slow / "sha256sum").chmod(0o755)
    path = {"PATH": f"{slow}:{os.environ['PATH']}"}
    loading = start(database, later, os.environ | path)
    while not reached.exists():
        assert loading.poll() is None
        time.sleep(0.01)
    kill(loading)
    assert database.snapshot() == before
    for delay_ms in (1, 40, 60, 80, 100, 120, 140, 160, 200):
        loading = start(database, later, os.environ)
        time.sleep(delay_ms / 1000)
        kill(loading)
        assert database.rows() in (job.rows(), later.rows())
    later.load(database)
    assert database.rows() == later.rows()


def start(
    database: Postgres, job: Signals, environment: os._Environ[str] | dict[str, str]
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        database.load_command(job.record, job.signals),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_only_the_signals_that_a_record_of_success_names_are_loaded(
    database: Postgres, tmp_path: Path
) -> None:
    job = Signals(tmp_path, DAILY)
    job.load(database)
    text = job.signals.read_text()
    for other in (
        text.replace(",5,", ",6,"),
        text[: len(text) // 2],
        text.rpartition("\n2024")[0] + "\n",
        text + "2024-01-09T00:00:00Z,BTC,1,2,0\n",
    ):
        assert other != text
        job.signals.write_text(other)
        reason = job.refused(database)
        assert "is not that of the signals of the record" in reason or "COPY arrived" in reason
    job.signals.write_text(text)
    job.load(database)
    job.signals.unlink()
    assert "is not a CSV file of signals" in job.refused(database)
    job.signals.write_text(text)
    recorded = job.read()
    for status in ("running", "error"):
        job.record.write_text(json.dumps(recorded | {"status": status}))
        assert f"with status {status}, not success" in job.refused(database)
    job.record.write_text("{}")
    assert "the record is not that of a run" in job.refused(database)
    job.record.write_text("")
    assert "the record cannot be read" in job.refused(database)


NO_TIMES = "symbol,close\nBTC,1\nBTC,2\n"
FINE = "time,symbol,close\n2024-01-01T00:00:00,BTC,1\n2024-01-01T00:00:00.000000001,BTC,1\n"
TWICE = "date,symbol,close\n2024-01-01,BTC,1\n2024-01-01,BTC,2\n"
UNNAMED = "date,close\n2024-01-01,1\n2024-01-02,2\n"


@pytest.mark.parametrize(
    ("bars", "config", "words", "message"),
    [
        (NO_TIMES, CONFIG, [], "bars of series 'BTC' have no timestamp"),
        (FINE, CONFIG, [], "2024-01-01T00:00:00.000000001Z is finer than a microsecond"),
        (TWICE, CONFIG + "checks: {duplicates: off}\n", [], "two bars of 'BTC' are at 2024-01-01"),
        (UNNAMED, CONFIG, [], "the signals are of a series without a symbol"),
        (DAILY, CONFIG, ["-v", "symbol=BTC"], "the signals have symbols of their own"),
        (DAILY, CONFIG.replace("window: 2", "window: 3"), [], "window: 2, this one has window: 3"),
        (DAILY, GAPS, [], "has missing: error, this one has missing: gap"),
    ],
)
def test_what_a_table_cannot_hold_is_refused_by_words(
    database: Postgres, tmp_path: Path, bars: str, config: str, words: list[str], message: str
) -> None:
    Signals(tmp_path / "former", DAILY).load(database)
    refused = Signals(tmp_path / "refused", bars, config).refused(database, *words)
    assert message in refused
    assert "HINT:  " in refused


def test_a_series_without_a_symbol_has_the_one_that_is_given(
    database: Postgres, tmp_path: Path
) -> None:
    job = Signals(tmp_path, UNNAMED)
    job.load(database, "-v", "symbol=BTC")
    assert [row[1] for row in database.rows()] == ["BTC", "BTC"]


def test_a_run_on_a_part_of_a_series_never_leaves_stale_signals(
    database: Postgres, tmp_path: Path
) -> None:
    Signals(tmp_path / "former", DAILY).load(database)
    header, *rows = DAILY.splitlines(keepends=True)
    # It does not know the bar before its first, so that this one would lose its signal.
    late = Signals(tmp_path / "late", header + "".join(rows[3:8]))
    assert "has a signal in the table, and none in this run" in late.refused(database)
    # The signal after its last bar depends on it.
    early = Signals(tmp_path / "early", header + "".join(rows[:3]).replace(",4", ",5"))
    assert "on which later signals in the table depend" in early.refused(database)
    same = Signals(tmp_path / "same", header + "".join(rows[:3]))
    same.load(database)
    assert [row[:-1] for row in database.rows()] == [
        row[:-1] for row in Signals(tmp_path / "whole", DAILY).rows()
    ]
