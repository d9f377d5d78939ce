"""Facts about the command for DuckDB in docs/tables.md, run as it stands there."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from tests.support.shell import CONFIG, ROOT, Recorded

duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed here, so it loaded nothing")

pytestmark = pytest.mark.outside

BARS = "time,symbol,close\n" + "".join(
    f"2024-01-0{day},{symbol},{close}\n"
    for symbol in ("BTC", "ETH")
    for day, close in enumerate(("1.10", "2", "12345678901234567.123456789"), start=1)
)
FINE = "time,close\n2024-01-01T00:00:00,1\n2024-01-01T00:00:00.000000001,2\n"
ROWS = """\
select strftime(timestamp at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ'), symbol, close::varchar,
       rolling_mean, signal, digest from signals order by symbol, timestamp"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    monkeypatch.chdir(tmp_path)
    return decided(tmp_path, BARS)


def decided(folder: Path, bars: str) -> Recorded:
    job = Recorded(folder, bars, CONFIG)
    assert job.run("--signals=signals.csv") == 0
    (folder / "signals.csv").rename(folder / "written.csv")
    assert job.run("--signals=signals.parquet") == 0
    return job


def load() -> list[tuple[object, ...]]:
    """Run the command of the page; return the rows of the table."""
    page = (ROOT / "docs/tables.md").read_text(encoding="utf-8")
    (sql,) = re.findall(r'^duckdb signals\.duckdb "\n(.*?)"$', page, re.MULTILINE | re.DOTALL)
    with duckdb.connect("signals.duckdb") as database:
        database.sql(sql)
    return rows()


def rows() -> list[tuple[object, ...]]:
    with duckdb.connect("signals.duckdb") as database:
        found: list[tuple[object, ...]] = database.sql(ROWS).fetchall()
    return found


def test_the_table_has_the_signals_of_the_run_and_is_replaced_by_the_next(
    job: Recorded, tmp_path: Path
) -> None:
    for bars in (BARS, BARS, BARS.replace(",2\n", ",3\n")):
        job = decided(tmp_path, bars)
        loaded = load()
        with open("written.csv", encoding="utf-8", newline="") as file:
            written = list(csv.reader(file))[1:]
        assert len(loaded) == len(written) == 6
        for (*texts, close, mean, signal, digest), expected in zip(loaded, written, strict=True):
            shown = ["" if value is None else repr(value) for value in (mean, signal)]
            assert [*texts, str(close).rstrip("0").rstrip("."), *shown] == expected
            assert digest == job.read()["digest"]


def test_what_no_record_of_success_names_leaves_the_table_as_it_was(
    job: Recorded, tmp_path: Path
) -> None:
    before = load()
    record = job.record.read_text()
    for other in (
        json.dumps(json.loads(record) | {"status": "running"}),
        record.replace('"sha256": "', '"sha256": "0'),
    ):
        job.record.write_text(other)
        with pytest.raises(duckdb.Error, match="not the signals of a run that succeeded"):
            load()
    decided(tmp_path, FINE)
    with pytest.raises(duckdb.Error, match="would cut off what is finer than a microsecond"):
        load()
    assert rows() == before
