"""The same bars by the clock of a place and in UTC give the same signals, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from rollsignal.config.rules import DateAndTime, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.findings import Found
from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from rollsignal.outputs.signals.writer import Signals
from tests.support.deciding import REPORT, begun, decide

MakeEngine = Callable[[], Engine]

BERLIN = ZoneInfo("Europe/Berlin")
IN_UTC = JobConfig(seed=1, window=3, version="t", columns=Columns(symbol=SymbolFrom("symbol")))
BY_CLOCK = IN_UTC._replace(timezone="Europe/Berlin")
FORMS = ["csv", "tsv", "ndjson", "parquet", "arrow", "text.parquet"]
AUTUMN, SPRING = datetime(2024, 10, 26, 20, tzinfo=UTC), datetime(2024, 3, 30, 20, tzinfo=UTC)
PAD = "x" * 60
# Enough for more than 4 MB of text, which is then read fast.
LARGE = 50_000

Row = tuple[datetime, str, int]


def bars(begin: datetime, minutes: int = 15, rows: int = 60, symbols: str = "AB") -> list[Row]:
    """Return bars with times in UTC."""
    times = [begin + timedelta(minutes=minutes * row) for row in range(rows)]
    return [(at, s, 100 + (7 * n) % 11) for n, at in enumerate(times) for s in symbols]


def write(path: Path, rows: Sequence[Row], *, local: bool) -> Path:
    """Write bars with times by the clock of Berlin, or in UTC with a zone."""
    times = [at.astimezone(BERLIN).replace(tzinfo=None) if local else at for at, _, _ in rows]
    columns = {"symbol": [s for _, s, _ in rows], "close": [close for _, _, close in rows]}
    texts = [at.isoformat(" ") if local else at.isoformat()[: -len("+00:00")] + "Z" for at in times]
    pads = [PAD] * len(rows)
    if path.suffix in (".parquet", ".arrow"):
        stored: list[datetime] | list[str] = texts if "text" in path.name else times
        frame = pl.DataFrame({"time": stored, **columns})
        (frame.write_parquet if path.suffix == ".parquet" else frame.write_ipc)(path)
        return path
    table = pl.DataFrame({"time": texts, **columns, "pad": pads})
    if path.suffix == ".ndjson":
        table.write_ndjson(path)
    else:
        table.write_csv(path, separator="," if path.suffix == ".csv" else "\t")
    return path


def answer(
    paths: Sequence[Path], config: JobConfig, engine: MakeEngine = ENGINES["local"]
) -> tuple[Found, bytes]:
    """Decide files; return what was found, and the bytes of the signals."""
    path = paths[0].parent / "signals.csv"
    with begun(Signals(str(path), config.window)) as signals:
        found = decide(paths, config, listeners=[signals], engine=engine)
        signals.finish(REPORT)
    return found, path.read_bytes()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("begin", [AUTUMN, SPRING])
def test_both_tables_give_the_same_signals(
    engine: MakeEngine, tmp_path: Path, begin: datetime, form: str
) -> None:
    rows = bars(begin)
    local = answer([write(tmp_path / f"l.{form}", rows, local=True)], BY_CLOCK, engine)
    utc = answer([write(tmp_path / f"u.{form}", rows, local=False)], IN_UTC)
    assert local[1] == utc[1]
    assert (local[0].tally, local[0].digest) == (utc[0].tally, utc[0].digest)
    assert local[1].count(b"Z,") == len(rows)


@pytest.mark.parametrize("form", FORMS)
def test_series_that_follow_each_other_have_their_own_hours(
    engine: MakeEngine, tmp_path: Path, form: str
) -> None:
    rows = sorted(bars(AUTUMN, symbols="ABC"), key=lambda row: row[1])
    local = answer([write(tmp_path / f"l.{form}", rows, local=True)], BY_CLOCK, engine)
    utc = answer([write(tmp_path / f"u.{form}", rows, local=False)], IN_UTC)
    assert local[1] == utc[1]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("symbols", ["A", "ABC"])
def test_large_tables_give_the_same_signals(tmp_path: Path, symbols: str, form: str) -> None:
    rows = bars(SPRING, minutes=10, rows=LARGE // len(symbols), symbols=symbols)
    local = answer([write(tmp_path / f"l.{form}", rows, local=True)], BY_CLOCK)
    utc = answer([write(tmp_path / f"u.{form}", rows, local=False)], IN_UTC)
    assert local[1] == utc[1]
    plain = decide([tmp_path / f"l.{form}"], BY_CLOCK, engine=ENGINES["plain"])
    assert local[0].accounts == plain.accounts


def test_many_small_files_give_the_same_signals(tmp_path: Path) -> None:
    rows = bars(AUTUMN - timedelta(days=40), minutes=60, rows=24 * 80, symbols="A")
    files: dict[str, list[Row]] = {}
    for row in rows:
        files.setdefault(f"{row[0].astimezone(BERLIN):%Y-%m-%d}", []).append(row)
    local, utc = ([write(tmp_path / f"{day}{is_local}.csv", part, local=is_local)
                   for day, part in files.items()] for is_local in (True, False))  # fmt: skip
    big = bars(AUTUMN + timedelta(days=60), minutes=1, rows=60_000, symbols="A")
    local.append(write(tmp_path / "big1.csv", big, local=True))
    utc.append(write(tmp_path / "big2.csv", big, local=False))
    assert answer(local, BY_CLOCK)[1] == answer(utc, IN_UTC)[1]


def test_dates_and_times_of_day_are_local_too(engine: MakeEngine, tmp_path: Path) -> None:
    rows = bars(AUTUMN)
    path = write(tmp_path / "l.csv", rows, local=True)
    head, _, table = path.read_text().partition("\n")
    path.write_text(head.replace("time", "day,clock") + "\n" + table.replace(" ", ","))
    columns = Columns(timestamp=DateAndTime("day", "clock"), symbol=SymbolFrom("symbol"))
    local = answer([path], BY_CLOCK._replace(columns=columns), engine)
    utc = answer([write(tmp_path / "u.csv", rows, local=False)], IN_UTC)
    assert local[1] == utc[1]


@pytest.mark.parametrize("form", FORMS)
def test_files_with_a_zone_keep_theirs(engine: MakeEngine, tmp_path: Path, form: str) -> None:
    rows = bars(AUTUMN)
    files = [
        write(tmp_path / f"1.{form}", rows[:60], local=False),
        write(tmp_path / f"2.{form}", rows[60:], local=True),
    ]
    utc = answer([write(tmp_path / f"u.{form}", rows, local=False)], IN_UTC)
    assert answer(files, BY_CLOCK, engine)[1] == utc[1]


@pytest.mark.parametrize("form", FORMS)
def test_a_time_that_does_not_exist_is_refused_with_its_place(
    engine: MakeEngine, tmp_path: Path, form: str
) -> None:
    path = write(tmp_path / f"l.{form}", bars(SPRING, symbols="A"), local=True)
    text = "2024-03-31 01:45:00"
    if path.suffix in (".csv", ".tsv", ".ndjson"):
        path.write_text(path.read_text().replace(text, "2024-03-31 02:45:00"))
    else:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ipc(path)
        row = frame["time"].cast(pl.String).str.slice(0, 19).to_list().index(text)
        wrong = "2024-03-31 02:45:00"
        times = frame["time"].to_list()
        times[row] = wrong if isinstance(times[row], str) else datetime.fromisoformat(wrong)
        frame = frame.with_columns(pl.Series("time", times))
        (frame.write_parquet if path.suffix == ".parquet" else frame.write_ipc)(path)
    with pytest.raises(DataError) as caught:
        decide([path], BY_CLOCK, engine=engine)
    number = {"csv": "line 21", "tsv": "line 21", "ndjson": "line 20"}.get(form, "row 20")
    assert str(caught.value) == (
        f"{path} {number}: time is '2024-03-31 02:45:00', a time that does not exist in"
        " Europe/Berlin: the clock goes from 02:00 to 03:00 (correct it, or the setting timezone)"
    )


@pytest.mark.parametrize("form", FORMS)
def test_an_hour_of_which_a_file_has_one_is_refused_at_its_first_bar(
    engine: MakeEngine, tmp_path: Path, form: str
) -> None:
    rows = [row for row in bars(AUTUMN, symbols="A") if row[0].hour != 1]
    path = write(tmp_path / f"l.{form}", rows, local=True)
    with pytest.raises(DataError) as caught:
        decide([path], BY_CLOCK, engine=engine)
    number = {"csv": "line 18", "tsv": "line 18", "ndjson": "line 17"}.get(form, "row 17")
    assert str(caught.value).startswith(
        f"{path} {number}: time is '2024-10-27 02:00:00', a time that comes twice in Europe/Berlin,"
        " and the rows of its series have it once"
    )
