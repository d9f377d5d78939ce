"""Files in, one result out, on every engine, and however the bars are spread over files."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.settings import Checks, JobConfig
from rollsignal.core.findings import SHOWN_FINDINGS, Found
from rollsignal.engines.interface import Engine
from rollsignal.errors import DataError
from tests.support import oracle
from tests.support.deciding import decide
from tests.support.strategies import cuts_of
from tests.support.sweeps import examples, sweep
from tests.support.tables import CONFIG, Table, tables

MakeEngine = Callable[[], Engine]
closes = st.integers(-99, 999).map(lambda tenths: f"{tenths / 10:.1f}")


def decided(
    engine: MakeEngine, texts: Sequence[str], config: JobConfig = CONFIG
) -> tuple[Found | str, list[str]]:
    """Decide files of such texts: the result, or the message of the refusal; and the warnings."""
    warnings: list[str] = []
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"bars{number}.csv") for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text.encode())
        try:
            result = decide(
                list(map(str, paths)), config, lambda _, text: warnings.append(text), engine=engine
            )
        except DataError as error:
            return error.message.replace(f"{folder}/", ""), warnings
    return result, warnings


def result_of(engine: MakeEngine, *texts: str, config: JobConfig = CONFIG) -> Found:
    result, warnings = decided(engine, texts, config)
    assert isinstance(result, Found)
    assert all("not above zero" in warning for warning in warnings)
    return result


@sweep
@settings(max_examples=examples(40))
@given(tables(), st.integers(1, 5))
def test_a_file_gives_what_its_closes_give(engine: MakeEngine, table: Table, window: int) -> None:
    tally = oracle.counts(table.bars.closes, window)
    result, warnings = decided(engine, [table.text], CONFIG._replace(window=window))
    doubtful = oracle.doubtful(table.bars.closes)
    assert len(warnings) == min(doubtful, SHOWN_FINDINGS)
    if isinstance(result, Found):
        (account,) = result.accounts.values()
        assert account.last is not None
        assert account.last.mean == oracle.means(table.bars.closes, window)[-1]
        assert (result.tally, result.findings.counts) == (tally, Counter(values=doubtful))
    else:
        assert tally[2] == 0


@settings(max_examples=30)
@given(st.lists(closes, min_size=4, max_size=12), st.integers(1, 4), st.data())
def test_bars_spread_over_files_give_what_one_file_gives(
    engine: MakeEngine, cells: list[str], window: int, data: st.DataObject
) -> None:
    config = CONFIG._replace(window=window)
    rows = [f"2024-01-01 00:{minute:02d},{cell}\n" for minute, cell in enumerate(cells)]
    parts = ["time,close\n" + "".join(rows[cut]) for cut in data.draw(cuts_of(len(rows)))]
    whole = result_of(engine, "time,close\n" + "".join(rows), config=config)
    # Files are put in the order of time, unless one has no rows to tell its time.
    turned = data.draw(st.booleans()) and min(map(len, parts)) > len("time,close\n")
    spread = (
        result_of(engine, *reversed(parts), config=config)
        if turned
        else result_of(engine, *parts, config=config)
    )
    assert spread.tally == whole.tally
    (account,), (expected,) = spread.accounts.values(), whole.accounts.values()
    assert account._replace(last_file="") == expected._replace(last_file="")


@pytest.mark.parametrize(
    ("cells", "policy", "message"),
    [
        ([], "error", "no rows below the header"),
        (["1"], "error", "1 row, fewer than the window of 3 bars"),
        (["1", "2"], "error", "2 rows, fewer than the window of 3 bars"),
        (["1", '""', '""'], "skip", "no window of 3 bars without a missing close"),
        (["1", "2", '""', "4"], "gap", "no window of 3 bars without a missing close"),
        (["-", "-"], "gap", "2 rows, fewer than the window of 3 bars"),
    ],
)
def test_no_signal_at_all_is_an_error_and_not_a_zero(
    engine: MakeEngine, cells: list[str], policy: Literal["error", "skip", "gap"], message: str
) -> None:
    text = "".join(f"{cell}\n" for cell in ["close", *cells])
    config = CONFIG._replace(missing=policy)
    assert decided(engine, [text], config) == (f"bars0.csv: {message}", [])


def test_a_long_window_is_written_with_separators(engine: MakeEngine) -> None:
    message, _ = decided(engine, ["close\n1\n"], CONFIG._replace(window=1_000_000))
    assert message == "bars0.csv: 1 row, fewer than the window of 1,000,000 bars"


def test_as_many_bars_as_the_window_have_one_signal(engine: MakeEngine) -> None:
    assert result_of(engine, "close\n1\n2\n3\n").tally == (3, 0, 1, 1, 0)


def test_a_file_with_bars_out_of_order_names_the_line_and_the_way_out(engine: MakeEngine) -> None:
    text = "time,close\n2024-01-02,1\n\n2024-01-01,2\n2024-01-03,3\n"
    assert decided(engine, [text])[0] == (
        "bars0.csv line 4: time is earlier than 2024-01-02T00:00:00Z in the previous row"
        " (for one series set order: newest_first if each file stands so, else sort: true if all"
        " times are right, with timezone: NAME if times without a zone are those of a place; for"
        " several set columns: {symbol: NAME})"
    )
    unchecked = CONFIG._replace(checks=Checks("off", "off"))
    assert result_of(engine, text, config=unchecked).tally == (3, 0, 1, 1, 0)
    _, warnings = decided(engine, [text], CONFIG._replace(checks=Checks(order="warn")))
    assert len(warnings) == 1


def test_a_bad_row_in_any_file_refuses_the_run(engine: MakeEngine) -> None:
    message, _ = decided(engine, ["close\n1\n2\n3\n", "close\n4\n1x\n"])
    assert message == "bars1.csv line 3: close is '1x', not a number"


def test_files_are_read_in_the_order_of_time_whatever_their_names(engine: MakeEngine) -> None:
    head, early, late = "date,close\n", "2024-01-01,1\n2024-01-02,3\n", "2024-01-03,2\n"
    assert result_of(engine, head + late, head + early).tally == (3, 0, 1, 0, 1)
    assert result_of(engine, head + early, head + late).tally == (3, 0, 1, 0, 1)
