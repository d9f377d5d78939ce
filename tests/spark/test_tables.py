"""A table is decided in pieces as one series after the other would be, whatever its rows' order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rollsignal.config.settings import JobConfig
from rollsignal.engines.interface import Task
from rollsignal.engines.spark import carrier, cuts, tables
from rollsignal.engines.spark.tables import TableOfTask
from rollsignal.engines.spark.versions import TableAsOf
from rollsignal.errors import ConfigError, DataError, DiskError
from rollsignal.files.find import input_of
from rollsignal.spark import decide, signals
from tests.support import panels
from tests.support.oracle import means, prices
from tests.support.oracle import signals as exact_signals
from tests.support.panels import Panel, PanelRow
from tests.support.shell import CONFIG, Job, command, strict_json
from tests.support.spark_tables import rows_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SETTINGS: dict[str, Any] = {"seed": 1, "version": "v"}
# Ties are common, and doubles are not exact.
CLOSES = ["100.10", "100.10", "100.1", "99.90", "0.3", "0.1", "0.2", "7", "123456.789"]


@pytest.fixture(autouse=True)
def cutting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut small tables into a few pieces."""
    cut_into(monkeypatch, rows=60, most=8)


def cut_into(monkeypatch: pytest.MonkeyPatch, rows: int, most: int) -> None:
    """Cut tables into at most so many pieces of about so many rows, whatever the window."""
    monkeypatch.setattr(cuts, "LEAST_PIECE_ROWS", rows)
    monkeypatch.setattr(cuts, "LEAST_PIECE_WINDOWS", 0)
    monkeypatch.setattr(tables, "PIECES_OF_CORE", most // 2)


def made(count: int, names: Sequence[str], window: int, seed: int = 1, **more: Any) -> Panel:
    """Make bars of some symbols, a minute after each other."""
    draw = random.Random(seed)
    rows = [PanelRow(at, draw.choice(names), draw.choice(CLOSES)) for at in range(count)]
    return Panel(rows, JobConfig(window=window, **SETTINGS, **more))


def table_of(
    session: SparkSession,
    panel: Panel,
    kind: str = "string",
    value: Callable[[str], Any] = str,
) -> DataFrame:
    """Return the bars in any order, in several partitions."""
    rows = [(row.time, row.symbol, value(row.close) if row.close else None) for row in panel.rows]
    random.Random(2).shuffle(rows)
    schema = f"timestamp timestamp_ntz, symbol string, close {kind}"
    return session.createDataFrame(rows, schema).repartition(3)


def check(panel: Panel, table: DataFrame, **settings: Any) -> None:
    """Compare all that is decided with the definition."""
    answers = panels.decided(panel)
    decided = decide(table, panel.config.window, missing=panel.config.missing, **settings)
    assert tuple(decided.tally) == panels.tally_of(answers)
    assert decided.digest == f"{panels.digest_of(answers):032x}"
    assert rows_of(decided.signals) == sorted(
        (each.row.symbol, each.row.time, each.close, each.mean, each.signal) for each in answers
    )
    by_symbol = {row.symbol: row for row in decided.summary}
    for symbol in {row.symbol for row in panel.rows}:
        mine = [each for each in answers if each.row.symbol == symbol]
        row = by_symbol.pop(symbol)
        assert (row.rows, 0, row.signals, row.ones, row.ties) == (
            *(len(mine), 0),
            *panels.tally_of(mine)[2:],
        )
        assert row.last_timestamp == mine[-1].row.time.isoformat() + "Z"
    assert by_symbol == {}


PANEL, SKEWED = ["B", "A", "É", "a"], ["A"] * 9 + ["B"]


@pytest.mark.parametrize(
    ("pieces", "names", "window"),
    [
        *((8, names, window) for names in (["A"], PANEL, SKEWED) for window in (1, 5, 90)),
        *((1, names, 5) for names in (["A"], PANEL)),
        (50, PANEL, 20),
    ],
)
def test_shuffled_bars_are_decided_as_by_definition(
    session: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    pieces: int,
    names: list[str],
    window: int,
) -> None:
    cut_into(monkeypatch, rows=600 // pieces, most=50)
    panel = made(600, names, window)
    check(panel, table_of(session, panel))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("double", float),
        ("float", float),
        ("decimal(38,18)", Decimal),
        ("decimal(12,3)", Decimal),
        ("string", "{}0".format),
    ],
)
def test_a_close_of_any_type_is_the_decimal_that_it_shows(
    session: SparkSession, kind: str, value: Callable[[str], Any]
) -> None:
    panel = made(300, ["A", "B"], 4)
    if kind == "float":
        # A float has no more than six digits.
        panel = panel._replace(rows=[row._replace(close=row.close[:6]) for row in panel.rows])
    if kind == "string":
        panel = panel._replace(
            rows=[row._replace(close=f"{float(row.close):.3f}") for row in panel.rows]
        )
    check(panel, table_of(session, panel, kind, value))


@pytest.mark.parametrize("kind", ["tinyint", "smallint", "int", "bigint"])
def test_whole_closes_are_decided(session: SparkSession, kind: str) -> None:
    panel = made(300, ["A"], 3)
    whole = [row._replace(close=str(int(float(row.close)) % 100)) for row in panel.rows]
    panel = panel._replace(rows=whole)
    check(panel, table_of(session, panel, kind, int))


def test_closes_beyond_64_bits_are_exact(session: SparkSession) -> None:
    panel = made(200, ["A", "B"], 3)
    draw = random.Random(4)
    big = [
        row._replace(close=f"{draw.randint(0, 3)}9999999999999999999.{draw.randint(0, 2):018d}")
        for row in panel.rows
    ]
    check(
        panel._replace(rows=big),
        table_of(session, panel._replace(rows=big), "decimal(38,18)", Decimal),
    )


@pytest.mark.parametrize("missing", ["skip", "gap"])
@pytest.mark.parametrize("kind", ["string", "double"])
def test_a_missing_close_is_left_out_or_a_gap(
    session: SparkSession, missing: str, kind: str
) -> None:
    panel = made(300, ["A", "B"], 3, missing=missing)
    draw = random.Random(3)
    holes = [row._replace(close=draw.choice([row.close, row.close, ""])) for row in panel.rows]
    panel = panel._replace(rows=holes)
    check(panel, table_of(session, panel, kind, float if kind == "double" else str))


def test_a_value_that_is_not_a_number_is_a_missing_close(session: SparkSession) -> None:
    panel = made(50, ["A"], 3)
    table = table_of(session, panel, "double", lambda close: float("nan"))
    with pytest.raises(DataError, match=r"^DataFrame 'A' at 2024-02-28T23:50:00Z: close is 'nan'"):
        decide(table, 3)


@pytest.fixture
def zone(session: SparkSession) -> Iterator[str]:
    before = session.conf.get("spark.sql.session.timeZone")
    session.conf.set("spark.sql.session.timeZone", "America/New_York")
    yield "America/New_York"
    session.conf.set("spark.sql.session.timeZone", before)


def test_instants_are_the_same_when_the_clocks_of_the_session_are_set_back(
    session: SparkSession, zone: str
) -> None:
    """Two hours of 2024-11-03 have the same local times there."""
    start = datetime(2024, 11, 3, 4, tzinfo=UTC)
    closes = [random.Random(5).choice(CLOSES) for _ in range(300)]
    rows = [(start + timedelta(minutes=at), close) for at, close in enumerate(closes)]
    random.Random(6).shuffle(rows)
    decided = decide(session.createDataFrame(rows, "timestamp timestamp, close string"), 3)
    answer = exact_signals(prices(closes), 3)
    from pyspark.sql import functions as F

    left = decided.signals.orderBy("timestamp").select(F.unix_micros("timestamp"), "signal")
    begin = int(start.timestamp()) * 10**6
    assert [tuple(row) for row in left.collect()] == [
        (begin + at * 60 * 10**6, signal) for at, signal in enumerate(answer)
    ]


@pytest.mark.parametrize("kind", ["date", "timestamp_ntz", "timestamp"])
def test_signals_have_the_type_of_the_times_that_were_given(
    session: SparkSession, kind: str
) -> None:
    days = [(f"2024-01-{day:02}", float(day % 4)) for day in range(1, 10)]
    table = session.createDataFrame(days, "day string, close double")
    decided = signals(table.selectExpr(f"cast(day as {kind}) as day", "close"), 2, timestamp="day")
    assert dict(decided.dtypes)["timestamp"] == kind
    shown = decided.selectExpr("cast(timestamp as string) as t", "rolling_mean").orderBy("t")
    assert [(row["t"][:10], row["rolling_mean"]) for row in shown.collect()] == list(
        zip([day for day, _ in days], means(prices([str(c) for _, c in days]), 2), strict=True)
    )


def test_symbols_that_differ_in_blanks_are_one_series(session: SparkSession) -> None:
    panel = made(300, ["A", "B"], 3)
    blank = [row._replace(symbol=" " * (row.minute % 2) + row.symbol) for row in panel.rows]
    decided = decide(table_of(session, panel._replace(rows=blank)), 3)
    assert decided.digest == f"{panels.digest_of(panels.decided(panel)):032x}"


def test_symbols_that_a_collation_holds_equal_are_several_series(session: SparkSession) -> None:
    panel = made(300, ["A", "a"], 3)
    table = table_of(session, panel)
    folded = table.selectExpr("timestamp", "symbol collate UTF8_LCASE as symbol", "close")
    decided = decide(folded, 3)
    assert decided.digest == f"{panels.digest_of(panels.decided(panel)):032x}"


def test_whole_numbers_may_be_symbols(session: SparkSession) -> None:
    panel = made(300, ["9", "10", "100"], 3)
    table = table_of(session, panel).selectExpr("timestamp", "int(symbol) as id", "close")
    decided = decide(table, 3, symbol="id")
    assert decided.digest == f"{panels.digest_of(panels.decided(panel)):032x}"


def pieces_of(table: DataFrame) -> dict[int, set[tuple[Any, ...]]]:
    """Run a job; return the keys in each piece, or in each partition where there are none."""
    from pyspark.sql import functions as F

    number = F.col(cuts.PIECE) if cuts.PIECE in table.columns else F.spark_partition_id()
    keys = table.where("stamp is not null").select(number, "symbol", "stamp")
    pieces: dict[int, set[tuple[Any, ...]]] = {}
    for of, *key in keys.collect():
        pieces.setdefault(of, set()).add(tuple(key))
    return pieces


def large_table(session: SparkSession) -> DataFrame:
    """Return a table with more keys than Spark samples."""
    return session.range(0, 40_000, 1, 4).selectExpr(
        "string(id % 3) as symbol",
        "timestamp_seconds(pmod(id * 7919, 40000)) as timestamp",
        "double(id % 11) as close",
    )


def test_two_jobs_on_a_table_make_the_same_pieces(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_into(monkeypatch, rows=4700, most=50)
    task = Task([input_of("table:bars")], JobConfig(window=3, **SETTINGS))
    table = TableOfTask(task, large_table(session))
    first = pieces_of(table.plan())
    assert len(first) == 8
    assert pieces_of(table.plan()) == first
    again = TableOfTask(task, large_table(session).repartition(2))
    assert pieces_of(again.plan()) == first
    # What a plan must not do: these bounds come from a sample that each job draws again.
    by_range = large_table(session).withColumnRenamed("timestamp", "stamp")
    drawn = by_range.repartitionByRange(8, "symbol", "stamp")
    assert pieces_of(drawn) != pieces_of(drawn)


def test_pieces_of_a_skewed_table_are_about_even(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_into(monkeypatch, rows=4700, most=50)
    table = large_table(session).selectExpr(
        "case when symbol = '0' and close > 8 then 'Z' else 'A' end as symbol",
        "timestamp",
        "close",
    )
    task = Task([input_of("table:bars")], JobConfig(window=3, **SETTINGS))
    sizes = [len(keys) for keys in pieces_of(TableOfTask(task, table).plan()).values()]
    assert sum(sizes) == 40_000
    assert max(sizes) < 1.3 * 5000


@pytest.mark.parametrize("share", [2, 1 << 40])
def test_a_sample_is_the_same_wherever_it_is_looked_for(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch, share: int
) -> None:
    monkeypatch.setattr(cuts, "LEAST_SAMPLE", 100)
    table = large_table(session).withColumnRenamed("timestamp", "stamp")
    usual = cuts.cuts_of(table, 1, 8, least_rows=1)
    monkeypatch.setattr(cuts, "_SHARE", share)
    assert cuts.cuts_of(table, 1, 8, least_rows=1) == usual
    assert len(usual) == 7


def test_pieces_are_in_the_order_in_which_spark_sorts(session: SparkSession) -> None:
    days = "array(null, timestamp_ntz'2020-01-01', timestamp_ntz'2020-01-02')"
    table = session.sql(
        f"select symbol, stamp from values ('A'), ('B') as (symbol),"
        f" (select explode({days}) as stamp)"
    )
    found = [cuts.Cut("A", "2020-01-02 00:00:00"), cuts.Cut("B", "2020-01-01 00:00:00")]
    rows = table.select(cuts.piece_of(table, found).alias("piece"), "symbol", "stamp").collect()
    in_order = sorted(rows, key=lambda row: (row.symbol, row.stamp is not None, row.stamp))
    assert [row.piece for row in in_order] == [0, 0, 1, 1, 2, 2]


def test_without_partitions_by_number_pieces_are_the_same(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuts, "SINCE_BY_ID", (99, 0))
    panel = made(600, ["A", "B"], 3)
    check(panel, table_of(session, panel))


@pytest.mark.parametrize("level", ["error", "warn"])
def test_a_duplicate_is_a_finding_that_names_symbol_and_time(
    session: SparkSession, level: Any, caplog: pytest.LogCaptureFixture
) -> None:
    panel = made(200, ["A", "B"], 3)
    twice = table_of(session, panel)
    twice = twice.union(twice.where("timestamp = timestamp'2024-02-29 00:00:00'"))
    symbol = panel.rows[10].symbol
    message = (
        f"DataFrame '{symbol}' at 2024-02-29T00:00:00Z: timestamp is the same as in the previous"
        f" row of '{symbol}' (keep one of the rows"
    )
    if level == "error":
        with pytest.raises(DataError) as refused:
            decide(twice, 3)
        assert refused.value.message.startswith(message)
        return
    assert decide(twice, 3, checks={"duplicates": "warn"}).tally.rows == 201
    assert [text for text in caplog.messages if text.startswith(message)]


@pytest.mark.parametrize("level", ["warn", "off"])
def test_bars_at_the_same_time_with_other_closes_have_no_order(
    session: SparkSession, level: Any
) -> None:
    panel = made(200, ["A", "B"], 3)
    table = table_of(session, panel)
    same = table.where("timestamp = timestamp'2024-02-29 00:00:00'")
    table = table.union(same.selectExpr("timestamp", "symbol", "'5.5'"))
    with pytest.raises(DataError, match=r"at 2024-02-29T00:00:00Z: two bars at the same time"):
        decide(table, 3, checks={"duplicates": level})


def test_gaps_in_time_are_found_also_where_the_table_is_cut(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cut_into(monkeypatch, rows=1, most=50)
    # Nearly every bar is a piece, so most steps are from one piece to the next.
    minutes = [*range(20), *range(25, 30), *range(35, 40)]
    rows = [PanelRow(at, symbol, "1.5") for symbol in "BA" for at in minutes]
    table = table_of(session, Panel(rows, JobConfig(window=3, **SETTINGS)))
    decided = decide(table, 3, checks={"gaps": "warn"})
    assert decided.digest == decide(table, 3).digest
    found = [text.partition(" (")[0] for text in caplog.messages]
    assert [text for text in found if "usual" in text] == [
        f"DataFrame: a step of 0:06:00 before 2024-02-29T00:15:00Z of '{symbol}', where 0:01:00 is"
        " usual"
        for symbol in "AB"
    ]
    assert decided._found.findings.counts["gaps"] == 4
    with pytest.raises(DataError, match="a step of 0:06:00 before 2024-02-29T00:15:00Z of 'A'"):
        decide(table, 3, checks={"gaps": "error"})


BAD = {
    "timestamp": "'A' without a time: timestamp is '', not a time",
    "symbol": "at 2024-02-29T00:00:00Z: the symbol is empty",
    "close": "'A' at 2024-02-29T00:00:00Z: close is '', not a number (set missing: skip",
}


@pytest.mark.parametrize("column", BAD)
def test_a_null_is_refused_and_named(session: SparkSession, column: str) -> None:
    panel = made(200, ["A"], 3)
    at = "timestamp = timestamp'2024-02-29 00:00:00'"
    columns = {name: name for name in ("timestamp", "symbol", "close")}
    columns[column] = f"case when not {at} then {column} end as {column}"
    table = table_of(session, panel).selectExpr(*columns.values())
    with pytest.raises(DataError) as refused:
        decide(table, 3)
    assert refused.value.message.startswith(f"DataFrame {BAD[column]}")


def test_a_blank_symbol_is_refused(session: SparkSession) -> None:
    table = table_of(session, made(9, [" ", "A"], 3))
    with pytest.raises(DataError, match=r"at .*: the symbol is empty"):
        decide(table, 3)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("string(timestamp) timestamp, close", {}, "timestamp is a column of string, which Spark"),
    ("1 timestamp, close", {}, r"for counts since 1970 timestamp_seconds\(timestamp\) or"),
    ("timestamp, true close", {}, "close is a column of boolean, not of numbers or text"),
    ("timestamp, close, 1.5 symbol", {}, r"the symbol column symbol holds decimal\(2,1\), not"),
    ("timestamp, close, 'X' code", {}, "code may be the symbol"),
    ("timestamp, close, symbol, symbol ticker", {}, "may each be the symbol"),
    ("timestamp, close", {"timestamp": "time"}, "no 'time' column"),
    ("timestamp, close", {"close": "price"}, "no 'price' column"),
    ("timestamp, close, symbol", {"window": 80}, "rows of several symbols, each with fewer"),
    ("timestamp, close, 'A' symbol", {"window": 100}, "fewer than the window of 100"),
]


@pytest.mark.parametrize(("columns", "settings", "message"), REFUSED)
def test_what_a_table_does_not_tell_is_refused(
    session: SparkSession, columns: str, settings: dict[str, Any], message: str
) -> None:
    table = table_of(session, made(90, ["A", "B"], 3))
    view = table.createOrReplaceTempView("refused")
    assert view is None
    with pytest.raises(DataError, match=message):
        decide(session.sql(f"select {columns} from refused"), **({"window": 3} | settings))


CONVERTED = [
    (
        "date_format(timestamp, 'yyyy/MM/dd HH:mm:ss')",
        "to_timestamp_ntz(ts, 'yyyy/MM/dd HH:mm:ss')",
    ),
    ("string(timestamp)", "to_timestamp_ntz(ts)"),
    ("concat(timestamp, '+01:00')", "to_timestamp(ts)"),
    ("unix_millis(to_utc_timestamp(timestamp, current_timezone()))", "timestamp_millis(ts)"),
    ("unix_seconds(to_utc_timestamp(timestamp, current_timezone()))", "timestamp_seconds(ts)"),
]


@pytest.mark.parametrize(("stored", "converted"), CONVERTED)
def test_times_that_are_converted_as_the_hint_says_give_the_right_signals(
    session: SparkSession, stored: str, converted: str
) -> None:
    panel = made(90, ["A"], 3)
    table = table_of(session, panel).selectExpr(f"{stored} as ts", "close")
    with pytest.raises(DataError) as refused:
        decide(table, 3, timestamp="ts")
    assert converted.partition("(")[0] + "(ts)" in refused.value.message
    decided = decide(table.selectExpr(f"{converted} as ts", "close"), 3, timestamp="ts")
    assert tuple(decided.tally) == panels.tally_of(panels.decided(panel))


def test_a_symbol_that_is_declared_as_the_hint_says_gives_the_right_signals(
    session: SparkSession,
) -> None:
    panel = made(90, ["A", "B"], 3)
    table = table_of(session, panel).withColumnRenamed("symbol", "code")
    with pytest.raises(DataError, match=r"set columns: \{symbol: code\} if each of its values is"):
        decide(table, 3)
    decided = decide(table, 3, symbol="code")
    assert decided.digest == f"{panels.digest_of(panels.decided(panel)):032x}"


def test_a_table_without_rows_or_times_is_refused(session: SparkSession) -> None:
    table = table_of(session, made(9, ["A"], 3))
    with pytest.raises(DataError, match=r"^DataFrame: no rows$"):
        decide(table.where("false"), 3)
    with pytest.raises(ConfigError, match="rows of a table have no order"):
        decide(table, 3, timestamp="none")


@pytest.mark.parametrize(
    "settings",
    [{"window": 0}, {"window": True}, {"missing": "x"}, {"checks": {"x": "warn"}},
     {"checks": {"ohlc": "x"}}],
)  # fmt: skip
def test_a_wrong_setting_is_a_value_error(session: SparkSession, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        decide(session.range(1), **({"window": 3} | settings))


def test_other_prices_are_compared_with_the_close(session: SparkSession) -> None:
    table = table_of(session, made(50, ["A"], 3), "double", float).selectExpr(
        "*", "close as Open", "close + if(timestamp < timestamp'2024-02-29', 1, -1) as HIGH"
    )
    assert decide(table, 3).tally.rows == 50
    with pytest.raises(DataError, match=r"'A' at 2024-02-29T00:00:00Z: .*high"):
        decide(table, 3, checks={"ohlc": "error"})
    opens = decide(table, 3, close="Open", checks={"ohlc": "warn"})
    assert opens.digest == decide(table, 3).digest


@pytest.mark.parametrize("change", ["close", "row", "piece"])
def test_a_table_that_changes_between_the_passes_is_refused(
    session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    cut_into(monkeypatch, rows=25, most=4)
    panel = made(100, ["A"], 3)
    file = tmp_path / "bars.parquet"
    file.write_bytes(panels.as_parquet(panel.rows))
    decided = decide(session.read.parquet(str(file)), 3)
    assert decided.signals.count() == 100
    answers = panels.decided(panel)
    at = next(at for at, each in enumerate(answers) if at > 50 and each.signal == 0)
    rows = [row._replace(close="9e9") if row.minute == at else row for row in panel.rows]
    # The last of four pieces has 25 rows.
    rows = {"close": rows, "row": panel.rows[:-1], "piece": panel.rows[:60]}[change]
    file.write_bytes(panels.as_parquet(rows))
    with pytest.raises(Exception, match="Input data file changed while it was read"):
        decided.signals.collect()


def test_an_engine_that_does_not_sort_is_a_failure(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = made(200, ["A", "B"], 3)
    whole = cuts.in_pieces

    def unsorted_pieces(table: DataFrame, cut: Sequence[cuts.Cut]) -> DataFrame:
        return whole(table, cut).sortWithinPartitions("piece", "`price 0`")

    monkeypatch.setattr(tables, "in_pieces", unsorted_pieces)
    with pytest.raises(DiskError, match="in another order than they were asked for"):
        decide(table_of(session, panel), 3)


# As an input of the command.


def sorted_panel(count: int = 400) -> Panel:
    panel = made(count, ["A", "B", "=C"], 3)
    return panel._replace(rows=sorted(panel.rows, key=lambda row: (row.symbol, row.minute)))


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow"])
def test_a_run_over_a_table_leaves_what_one_over_its_sorted_file_does(
    session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    panel = sorted_panel()
    table_of(session, panel, "decimal(12,3)", Decimal).createOrReplaceTempView("bars")
    monkeypatch.setattr(tables, "as_of_newest", lambda *asked: TableAsOf(asked[2], "7"))
    job = Job(tmp_path, panels.as_csv(panel.rows), CONFIG + "columns: {symbol: symbol}\n")
    left = []
    for name, given in {"local": job.input, "spark": "table:bars"}.items():
        job.output = tmp_path / f"{name}.json"
        outputs = [tmp_path / f"{name}.summary.csv", tmp_path / f"{name}.signals.{suffix}"]
        record = tmp_path / f"{name}.record.json"
        flags = [f"--summary={outputs[0]}", f"--signals={outputs[1]}", f"--record={record}"]
        engine = [] if name == "local" else ["--engine=spark"]
        assert job.run(*flags, *engine, input=given) == 0
        metrics = {key: each for key, each in job.metrics().items() if key != "latency_ms"}
        document = strict_json(record.read_text())
        assert document["inputs"][0]["rows"] == 400
        assert document["inputs"][0]["file"]["version"] == (None if name == "local" else "7")
        facts = [document[key] for key in ("tally", "digest", "checks", "series")]
        left.append((metrics, [path.read_bytes() for path in outputs], facts))
    assert left[0] == left[1]
    if suffix == "parquet":
        assert_spark_makes_a_table_of(session, tmp_path / "spark.signals.parquet", panel)


def assert_spark_makes_a_table_of(session: SparkSession, path: Path, panel: Panel) -> None:
    kept = f"CREATE TABLE kept USING parquet LOCATION '{path}.kept'"
    session.sql(f"{kept} AS SELECT * FROM parquet.`{path}`")
    rows = session.table("kept").collect()
    session.sql("DROP TABLE kept")
    decided = panels.decided(panel._replace(config=panel.config._replace(window=2)))
    found = Counter((row["symbol"], Fraction(row["close"]), row["signal"]) for row in rows)
    assert found == Counter((each.row.symbol, each.close, each.signal) for each in decided)


def test_partitions_of_signals_are_written_from_a_table(
    session: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = sorted_panel()
    table_of(session, panel).createOrReplaceTempView("bars")
    job = Job(tmp_path, b"", CONFIG + "engine: spark\nsort: true\n")
    record = tmp_path / "r.json"
    flags = [f"--signals={tmp_path / 'signals'}", "--partition-by=symbol", f"--record={record}"]
    assert job.run(*flags, input="table:bars") == 0
    # A view has no version.
    assert strict_json(record.read_text())["inputs"][0]["file"]["version"] is None
    back = session.read.option("basePath", str(tmp_path / "signals")).parquet(
        *(str(path) for path in (tmp_path / "signals").glob("symbol=*"))
    )
    decided = panels.decided(panel._replace(config=panel.config._replace(window=2)))
    assert back.where("signal = 1").count() == sum(each.signal or 0 for each in decided)


def test_spark_replaces_the_partitions_of_a_table_of_signals_that_are_decided_again(
    session: SparkSession, tmp_path: Path
) -> None:
    former, panel = datetime(1999, 12, 31), made(60, ["A", "B"], 3)
    columns = "timestamp timestamp_ntz, close decimal(38,3), rolling_mean double, signal int"
    session.sql(
        f"CREATE TABLE kept ({columns}, symbol string) USING parquet PARTITIONED BY (symbol)"
        f" LOCATION '{tmp_path / 'kept'}'"
    )
    old = f"timestamp_ntz'{former}', 1.5, 1.5, 0"
    session.sql(f"INSERT INTO kept VALUES ({old}, '0700'), ({old}, 'A')")
    rows = decide(table_of(session, panel), 3).signals.select(session.table("kept").columns)
    with partitions_replaced(session):
        rows.write.mode("overwrite").insertInto("kept")
    found = rows_of(session.table("kept"))
    session.sql("DROP TABLE kept")
    decided = panels.decided(panel)
    assert found == sorted(
        [
            ("0700", former, Fraction("1.5"), 1.5, 0),
            *(
                (each.row.symbol, each.row.time, each.close, each.mean, each.signal)
                for each in decided
            ),
        ]
    )


@contextmanager
def partitions_replaced(session: SparkSession) -> Iterator[None]:
    mode = "spark.sql.sources.partitionOverwriteMode"
    session.conf.set(mode, "dynamic")
    yield
    session.conf.unset(mode)


@pytest.mark.parametrize(
    ("flags", "given", "code", "message"),
    [
        (["--engine=local"], ["table:bars"], 2, "table:bars is a table, which only Spark reads"),
        (["--engine=spark"], ["table:bars", "table:more"], 2, "is read alone"),
        (["--engine=spark", "--format=csv"], ["table:bars"], 2, "which has no format"),
        (["--engine=spark", "--state=s"], ["table:bars"], 78, "--state needs all bars in one"),
        (["--engine=spark", "--signals=table:s"], ["table:bars"], 2, "table:s is a table, not a"),
        (["--engine=spark"], ["table:no.such"], 66, "Input table not found (table: no.such)"),
        (["--engine=spark"], ["table:a b;"], 66, "Input table cannot be read: "),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(
    session: SparkSession,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    given: list[str],
    code: int,
    message: str,
) -> None:
    table_of(session, made(9, ["A"], 3)).createOrReplaceTempView("bars")
    job = Job(tmp_path)
    inputs = ["--input", *given]
    arguments = [flag for flag in job.arguments(*flags) if not flag.startswith("--input")]
    assert command("run", *arguments, *inputs) == code
    assert message in capsys.readouterr().err


def test_a_table_that_changes_while_a_run_reads_it_fails(
    session: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table_of(session, made(90, ["A"], 3)).createOrReplaceTempView("steady")
    moving = "select timestamp, close + mod(unix_micros(now()), 7919) * sin(minute(timestamp))"
    session.sql(f"{moving} as close from steady").createOrReplaceTempView("bars")
    job = Job(tmp_path)
    flags = ["--engine=spark", f"--signals={tmp_path / 'signals.csv'}"]
    assert job.run(*flags, input="table:bars") == DiskError.exit_code
    assert "changed while it was read" in capsys.readouterr().err
    assert not (tmp_path / "signals.csv").exists()


def test_an_executor_that_lacks_a_library_is_named(
    session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried = carrier.carried_rows
    monkeypatch.setattr(
        carrier, "carried_rows", lambda task, wanted: carried(task, {**wanted, "polars": "0.0"})
    )
    table = session.createDataFrame([(date(2024, 1, day), float(day)) for day in (1, 2, 3)])
    with pytest.raises(ConfigError, match=r"An executor of Spark has polars .*driver has polars 0"):
        decide(table.toDF("timestamp", "close"), 2)
