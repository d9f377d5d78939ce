"""Times with a zone and times without one are never put into one order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from rollsignal.outputs.state.document import load_state
from tests.support.deciding import decide
from tests.support.nights import Folder

MakeEngine = Callable[[], Engine]

CONFIG = JobConfig(seed=1, window=3, version="t")
BY_NAME = CONFIG._replace(columns=Columns(symbol=SymbolFrom(filename=True)))
BY_COLUMN = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))
FORMS = ["csv", "tsv", "ndjson", "parquet", "arrow"]
TEXT_FORMS = FORMS[:3]
# New York's clock: the zoned bars are before the others, which UTC would put before them.
FIRST, SECOND = datetime(2024, 1, 5, 9, 30), datetime(2024, 1, 5, 9, 33)
EARLIER, LATER = [10, 11, 12], [13, 14, 15]
PAD = "x" * 150


def minutes(begin: datetime, rows: int = 3) -> list[datetime]:
    return [begin + timedelta(minutes=row) for row in range(rows)]


def unzoned(begin: datetime, rows: int = 3) -> list[str]:
    return [str(time) for time in minutes(begin, rows)]


def zoned(begin: datetime, rows: int = 3) -> list[str]:
    return [f"{time.isoformat()}-05:00" for time in minutes(begin, rows)]


def counts(begin: datetime) -> list[str]:
    utc = [(time + timedelta(hours=5)).replace(tzinfo=UTC) for time in minutes(begin)]
    return [str(int(time.timestamp())) for time in utc]


def write(
    path: Path, times: Sequence[str], closes: Sequence[int], symbol: str = "A", pad: str = ""
) -> Path:
    """Write a table in the format of the path's suffix; columnar ones have a type for times."""
    rows = [
        {"time": time, "symbol": symbol, "close": close, "pad": pad}
        for time, close in zip(times, closes, strict=True)
    ]
    if path.suffix == ".ndjson":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix in (".csv", ".tsv"):
        delimiter = "," if path.suffix == ".csv" else "\t"
        lines = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
        path.write_text("".join(delimiter.join(line) + "\n" for line in lines))
    else:
        frame = pl.DataFrame(rows).with_columns(
            pl.Series("time", [datetime.fromisoformat(time) for time in times])
        )
        (frame.write_parquet if path.suffix == ".parquet" else frame.write_ipc)(path)
    return path


def refusal(engine: MakeEngine, *paths: Path, config: JobConfig = CONFIG) -> str:
    with pytest.raises(DataError) as caught:
        decide(paths, config, engine=engine)
    return str(caught.value)


def said(zoned_file: Path | str, unzoned_file: Path | str) -> str:
    return (
        f"{zoned_file} has times with a zone, or counts since 1970, but those of {unzoned_file},"
        f" of the same series, have no zone (write the zone of each time into {unzoned_file},"
        " as in 2024-01-31T09:30:00-05:00 or 2024-01-31T14:30:00Z)"
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other", ["csv", "parquet"])
def test_files_of_a_series_of_which_one_has_no_zone_are_refused(
    engine: MakeEngine, tmp_path: Path, form: str, other: str
) -> None:
    one = write(tmp_path / f"one.{form}", zoned(FIRST), EARLIER)
    two = write(tmp_path / f"two.{other}", unzoned(SECOND), LATER)
    for config in (CONFIG, BY_COLUMN, CONFIG._replace(sort=True)):
        assert refusal(engine, one, two, config=config) == said(one, two)
        assert refusal(engine, two, one, config=config) == said(one, two)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_files_are_right_once_both_have_a_zone(
    engine: MakeEngine, tmp_path: Path, form: str
) -> None:
    one = write(tmp_path / f"one.{form}", zoned(FIRST), EARLIER)
    two = write(tmp_path / f"two.{form}", zoned(SECOND), LATER)
    tally = decide([two, one], CONFIG, engine=engine).tally
    assert (tally.ones, tally.signals) == (4, 4)


def test_counts_since_1970_are_in_utc(engine: MakeEngine, tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", counts(FIRST), EARLIER)
    two = write(tmp_path / "two.csv", zoned(SECOND), LATER)
    assert decide([two, one], CONFIG, engine=engine).tally.ones == 4
    bare = write(tmp_path / "bare.csv", unzoned(SECOND), LATER)
    assert refusal(engine, one, bare) == said(one, bare)


@pytest.mark.parametrize("config", [CONFIG, BY_COLUMN])
def test_large_files_of_which_one_has_no_zone_are_refused(
    tmp_path: Path, config: JobConfig
) -> None:
    rows = 15_000
    one = write(tmp_path / "one.csv", zoned(FIRST, rows), range(1, rows + 1), pad=PAD)
    begin = minutes(SECOND, rows)[-1]
    two = write(tmp_path / "two.csv", unzoned(begin, rows), range(1, rows + 1), pad=PAD)
    assert one.stat().st_size + two.stat().st_size > 4 << 20
    assert refusal(ENGINES["local"], one, two, config=config) == said(one, two)


def test_files_of_different_series_may_differ_in_having_a_zone(
    engine: MakeEngine, tmp_path: Path
) -> None:
    paths = [
        write(tmp_path / "A.csv", zoned(FIRST), EARLIER, "A"),
        write(tmp_path / "B.csv", unzoned(FIRST), EARLIER, "B"),
    ]
    for config in (BY_NAME, BY_COLUMN):
        for each in (config, config._replace(sort=True)):
            assert decide(paths, each, engine=engine).tally.ones == 2


def test_series_of_panels_on_arrays_may_differ_in_having_a_zone(tmp_path: Path) -> None:
    rows = 15_000
    closes = range(1, rows + 1)
    files = [("A", zoned(FIRST, rows)), ("B", unzoned(FIRST, rows))]
    paths = [write(tmp_path / f"{name}.csv", times, closes, name, PAD) for name, times in files]
    accounts = decide(paths, BY_COLUMN).accounts
    assert [accounts[name].zoned for name in "AB"] == [True, False]
    assert [accounts[name].tally.ones for name in "AB"] == [rows - 2, rows - 2]
    more = write(tmp_path / "more.csv", zoned(minutes(FIRST, rows + 1)[-1]), EARLIER, "B")
    with pytest.raises(DataError, match=f"{more} has times with a zone"):
        decide([*paths, more], BY_COLUMN)


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_rows_of_one_file_of_which_some_have_no_zone_are_refused(
    engine: MakeEngine, tmp_path: Path, form: str
) -> None:
    mixed = write(tmp_path / f"m.{form}", [*zoned(FIRST), *unzoned(SECOND)], [*EARLIER, *LATER])
    assert "not like those above: only some have a zone" in refusal(engine, mixed)


@pytest.mark.parametrize("later", [SECOND, SECOND + timedelta(days=1)])
@pytest.mark.parametrize("form", FORMS)
def test_a_state_of_times_with_a_zone_takes_none_without(
    engine: MakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    form: str,
    later: datetime,
) -> None:
    monkeypatch.setitem(ENGINES, "local", engine)
    nights = Folder(tmp_path)
    one = write(tmp_path / f"one.{form}", zoned(FIRST), EARLIER)
    two = write(tmp_path / f"two.{form}", unzoned(later), LATER)
    assert nights.continued([str(one)]) is None
    kept = (tmp_path / "s.state").read_bytes()
    assert str(nights.continued([str(one), str(two)])) == said(one, two)
    assert (tmp_path / "s.state").read_bytes() == kept


def test_a_state_from_before_zones_were_kept_is_continued(tmp_path: Path) -> None:
    nights = Folder(tmp_path)
    one = write(tmp_path / "one.csv", zoned(FIRST), EARLIER)
    two = write(tmp_path / "two.csv", zoned(SECOND), LATER)
    bare = write(tmp_path / "bare.csv", unzoned(SECOND + timedelta(days=1)), LATER)
    assert nights.continued([str(one)]) is None
    path = tmp_path / "s.state"
    body = b"".join(path.read_bytes().replace(b',"zoned":true', b"").splitlines(True)[:-1])
    seal = json.dumps({"sha256": hashlib.sha256(body).hexdigest()}, separators=(",", ":"))
    path.write_bytes(body + seal.encode() + b"\n")
    assert zones_in(path) == [None]
    assert nights.continued([str(one), str(two)]) is None
    assert zones_in(path) == [True]
    assert str(nights.continued([str(one), str(two), str(bare)])) == said(two, bare)


def zones_in(path: Path) -> list[bool | None]:
    state = load_state(str(path))
    assert state
    return [account.zoned for account in state.accounts.values()]
