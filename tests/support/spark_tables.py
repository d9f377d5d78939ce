"""Tables and files of bars by a seed, and what Spark decides of them, wherever its session is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.ledger import Missing
from rollsignal.engines.spark import cuts, tables
from rollsignal.engines.spark.cuts import Cut
from rollsignal.engines.spark.engine import SparkEngine
from rollsignal.spark import decide
from tests.support import panels
from tests.support.answers import answer
from tests.support.failing import Killing
from tests.support.panels import Panel, PanelRow

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

HEADER = "timestamp,symbol,close,rolling_mean,signal\n"

Bar = tuple[str, datetime, Fraction | None, float | None, int | None]
NAMES = [["A"], ["B", "A", "É", "a"], ["A"] * 9 + ["B"]]
# Of each type: closes with many ties, and what makes a value of one.
KINDS: Mapping[str, tuple[Sequence[str], Callable[[str], Any]]] = {
    "string": (["1", "2.0", "1e3", "-7", "0", "3.25", "99999999999999999999.5"], str),
    "double": (["100.10", "100.1", "99.90", "0.3", "0.1", "0.2", "123456.789"], float),
    "float": (["100.25", "100.1", "0.3", "0.1", "0.2", "7"], float),
    "decimal(38,18)": (["0.1", "100.10", "19999999999999999999.5", "-3"], Decimal),
    "decimal(12,3)": (["100.101", "100.1", "99.9", "0.003"], Decimal),
    "bigint": (["3", "-3", "7", "9007199254740993", "9223372036854775807"], int),
}


class TableCase(NamedTuple):
    """A table that is cut into about so many pieces.

    holds_empty: whether there are pieces without any row.
    """

    panel: Panel
    kind: str = "string"
    pieces: int = 8
    holds_empty: bool = False


class TableAnswer(NamedTuple):
    """What came of a table: the cuts, and the digest, counts and rows of each way to decide it."""

    cuts: int
    digests: tuple[str, str]
    tallies: tuple[tuple[int, ...], tuple[int, ...]]
    text: str
    rows: list[tuple[Any, ...]]


def drawn(draw: random.Random, count: int, closes: Sequence[str], **settings: Any) -> Panel:
    """Draw bars of some symbols, a minute after each other; a close may be missing."""
    names = draw.choice(NAMES)
    missing: Missing = draw.choice(["skip", "gap", "error"])
    cells = closes if missing == "error" else [*closes, ""]
    rows = [PanelRow(at, draw.choice(names), draw.choice(cells)) for at in range(count)]
    config = JobConfig(
        seed=1,
        window=draw.choice([1, 2, 5, 20, 90]),
        version="v",
        missing=missing,
        columns=Columns(symbol=SymbolFrom("symbol")),
        **settings,
    )
    return Panel(rows, config)


def drawn_case(seed: int) -> TableCase:
    """Draw a table."""
    draw = random.Random(seed)
    # Each type in turn, so that few seeds have all.
    kind = list(KINDS)[seed % len(KINDS)]
    panel = drawn(draw, draw.choice([100, 300, 600]), KINDS[kind][0])
    while not panels.tally_of(panels.decided(panel))[2]:
        # A run without a signal ends with an error.
        panel = drawn(draw, 300, KINDS[kind][0])
    return TableCase(panel, kind, draw.choice([1, 3, 8, 50]), draw.random() < 0.5)


def answer_on_table(case: TableCase) -> TableAnswer:
    """Decide a table by a run with signals, and as a DataFrame, with the active session."""
    config = case.panel.config
    with cut_as(case) as found_cuts:
        digest, tally, text = run_on_table(case)
        decided = decide(table_in_session(case), config.window, missing=config.missing)
        return TableAnswer(
            len(found_cuts),
            (digest, decided.digest),
            (tally, tuple(decided.tally)),
            text,
            rows_of(decided.signals),
        )


def run_on_table(case: TableCase) -> tuple[str, tuple[int, ...], str]:
    """Decide a table as a run with signals does; return the digest, the counts and the signals."""
    table_in_session(case).createOrReplaceTempView("bars")
    found = answer(SparkEngine(), ["table:bars"], case.panel.config)
    assert found.error is None, found.error
    _, tally, digest, *_ = found.found
    return f"{digest:032x}", tuple(tally), found.signals


def answer_on_table_while(
    kind: type[Killing], case: TableCase, folder: Path, numbers: tuple[int, ...]
) -> tuple[tuple[str, tuple[int, ...], str], list[str], int]:
    """Decide a table while partitions of each pass fail.

    Also return which of them did, and how often the stage that ran most often was begun again.
    """
    usual, passes = tables.mapped, list[Path]()

    def mapped(plan: DataFrame, work: Any, columns: str) -> DataFrame:
        passes.append(folder / str(len(passes)))
        passes[-1].mkdir()
        return usual(plan, FailingPartitions(work, kind, str(passes[-1]), numbers), columns)

    with cut_as(case), mock.patch.object(tables, "mapped", mapped):
        found = run_on_table(case)
    failed = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))
    return found, failed, _begun_again()


def _begun_again() -> int:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    assert session
    status = session.sparkContext.statusTracker()
    jobs = map(status.getJobInfo, status.getJobIdsForGroup())
    stages = (status.getStageInfo(number) for job in jobs if job for number in job.stageIds)
    return max(int(stage.currentAttemptId) for stage in stages if stage)


class FailingPartitions(NamedTuple):
    """What is done with the rows of a partition, which fails at some of their numbers."""

    work: Callable[[Iterator[Any]], Iterator[Any]]
    kind: type[Killing]
    folder: str
    numbers: tuple[int, ...]

    def __call__(self, batches: Iterator[Any]) -> Iterator[Any]:
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context
        self.kind(bytes, self.folder, self.numbers).run(context.partitionId())
        yield from self.work(batches)


def by_definition(case: TableCase, cuts_found: int) -> TableAnswer:
    """Return what the definition says of a table that is cut in so many places."""
    answers = sorted(panels.decided(case.panel), key=lambda each: (each.row.symbol, each.row.time))
    digest, tally = f"{panels.digest_of(answers):032x}", panels.tally_of(answers)
    text = HEADER + "".join(each.text for each in answers)
    rows = [
        (each.row.symbol, each.row.time, each.close, each.mean, each.signal) for each in answers
    ]
    return TableAnswer(cuts_found, (digest, digest), (tally, tally), text, rows)


def table_in_session(case: TableCase) -> DataFrame:
    """Return the bars in any order, in several partitions."""
    from pyspark.sql import SparkSession

    session, (_, value) = SparkSession.getActiveSession(), KINDS[case.kind]
    assert session
    rows = [
        (row.time, row.symbol, value(row.close) if row.close else None) for row in case.panel.rows
    ]
    random.Random(2).shuffle(rows)
    schema = f"timestamp timestamp_ntz, symbol string, close {case.kind}"
    return session.createDataFrame(rows, schema).repartition(3)


def rows_of(table: DataFrame) -> list[Bar]:
    """Return signals in the order of symbol and time."""
    return sorted(
        (
            row["symbol"] or "",
            row["timestamp"],
            None if row["close"] is None else Fraction(row["close"]),
            row["rolling_mean"],
            row["signal"],
        )
        for row in table.collect()
    )


@contextmanager
def cut_as(case: TableCase) -> Iterator[list[Cut]]:
    """Cut tables as a case says; yield the cuts, which are known when one was cut."""
    found: list[Cut] = []
    usual = cuts.cuts_of

    def cuts_of(*arguments: Any) -> list[Cut]:
        cut = usual(*arguments)
        found[:] = with_empty_pieces(cut) if case.holds_empty else cut
        return list(found)

    with ExitStack() as stack:
        for module, name, value in (
            (tables, "cuts_of", cuts_of),
            (tables, "cores_of", lambda session: 1),
            (tables, "PIECES_OF_CORE", case.pieces),
            (cuts, "LEAST_PIECE_ROWS", max(1, len(case.panel.rows) // case.pieces)),
            (cuts, "LEAST_PIECE_WINDOWS", 0),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        yield found


def with_empty_pieces(found: Sequence[Cut]) -> list[Cut]:
    """Cut once more a moment before each cut: no bar is between the two."""
    more: list[Cut] = []
    for cut in found:
        before = datetime.fromisoformat(str(cut.stamp)) - timedelta(microseconds=1)
        more += [Cut(cut.symbol, str(before)), cut]
    return more
