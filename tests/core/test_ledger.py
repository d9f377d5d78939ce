"""The ledger of a run: every series decided batch by batch, findings treated as configured."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.settings import Checks, JobConfig
from rollsignal.core.bars import Batch
from rollsignal.core.findings import SHOWN_FINDINGS, Findings, LocatedFinding
from rollsignal.core.ledger import Ledger
from rollsignal.core.quality import Finding
from rollsignal.core.ticks import parse_closes
from rollsignal.errors import DataError
from tests.support import oracle
from tests.support.deciding import FakeReader
from tests.support.strategies import Series, cuts_of, series, windows_of
from tests.support.tables import CONFIG

Level = Literal["error", "warn", "off"]
LEVELS: list[Level] = ["error", "warn", "off"]
SKIP = CONFIG._replace(missing="skip")
GAP = CONFIG._replace(missing="gap")


def decided(config: JobConfig, *readers: FakeReader) -> tuple[Ledger, list[str]]:
    """Decide all batches; return the ledger and the warnings."""
    warnings: list[str] = []
    findings = Findings(
        config.checks._asdict(), lambda level, text: warnings.append(f"{level} {text}")
    )
    ledger = Ledger(config.rules, findings)
    for reader in readers:
        for batch in reader.batches():
            ledger.take(batch, reader)
    return ledger, warnings


@given(st.data(), series(gaps=True), st.sampled_from([SKIP, GAP]))
def test_any_cutting_into_batches_gives_the_same_account(
    data: st.DataObject, bars: Series, config: JobConfig
) -> None:
    config = config._replace(window=data.draw(windows_of(len(bars.ticks))))
    cut, whole = FakeReader(bars.cells, data.draw(cuts_of(len(bars.ticks)))), FakeReader(bars.cells)
    cut.times_ns = whole.times_ns = list(range(len(bars.ticks)))
    assert decided(config, cut)[0].accounts == decided(config, whole)[0].accounts


@given(st.data(), series(gaps=True, max_scale=3))
def test_batches_that_come_as_arrays_give_the_same_account(
    data: st.DataObject, bars: Series
) -> None:
    config = GAP._replace(window=data.draw(windows_of(len(bars.ticks))))
    cut, whole = FakeReader(bars.cells, data.draw(cuts_of(len(bars.ticks)))), FakeReader(bars.cells)
    cut.times_ns = whole.times_ns = data.draw(st.sampled_from([[], list(range(len(bars.ticks)))]))
    cut.in_arrays = True
    assert decided(config, cut)[0].accounts == decided(config, whole)[0].accounts


@given(st.data(), series(gaps=True))
def test_the_tally_and_the_last_mean_are_those_of_the_definition(
    data: st.DataObject, bars: Series
) -> None:
    config = GAP._replace(window=data.draw(windows_of(len(bars.ticks))))
    ledger, _ = decided(config, FakeReader(bars.cells))
    closes = oracle.prices(bars.texts)
    assert ledger.tally() == oracle.counts(closes, config.window)
    means = [account.last and account.last.mean for account in ledger.accounts.values()]
    assert means == oracle.means(closes, config.window)[-1:]


@given(st.data(), series(gaps=True))
def test_closes_that_are_skipped_leave_the_signals_of_the_others(
    data: st.DataObject, bars: Series
) -> None:
    config = SKIP._replace(window=data.draw(windows_of(len(bars.ticks))))
    ledger, _ = decided(config, FakeReader(bars.cells, data.draw(cuts_of(len(bars.ticks)))))
    closes = [close for close in oracle.prices(bars.texts) if close is not None]
    _, _, signals, ones, ties = oracle.counts(closes, config.window)
    assert ledger.tally() == (len(bars.ticks), bars.ticks.count(None), signals, ones, ties)
    means = [account.last.mean for account in ledger.accounts.values() if account.last]
    assert means == oracle.means(closes, config.window)[-1:]


@given(st.data(), st.lists(series(gaps=True), min_size=1, max_size=3))
def test_interleaved_series_are_decided_as_if_each_were_alone(
    data: st.DataObject, several: list[Series]
) -> None:
    config = GAP._replace(window=data.draw(st.integers(1, 4)))
    named = {f"S{number}": bars.cells for number, bars in enumerate(several)}
    order = data.draw(st.permutations([name for name, cells in named.items() for _ in cells]))
    left = {name: iter(cells) for name, cells in named.items()}
    mixed = FakeReader([next(left[name]) for name in order], data.draw(cuts_of(len(order))))
    mixed.symbols = order
    ledger = decided(config, mixed)[0]
    for name, cells in named.items():
        alone = decided(config, FakeReader(cells))[0].accounts.get("")
        account = ledger.accounts.get(name)
        assert (account and account.tally) == (alone and alone.tally)
        assert [account and account.last and account.last.mean] == [
            alone and alone.last and alone.last.mean
        ]


def test_the_symbol_of_a_file_is_that_of_its_bars() -> None:
    reader = FakeReader(["1", "2"])
    reader.symbol = "BTC"
    assert list(decided(CONFIG, reader)[0].accounts) == ["BTC"]


@pytest.mark.parametrize(
    ("cells", "config", "mean"),
    [
        (["1", "2", "3", ""], GAP, None),
        (["1", "2", "3", ""], SKIP, 2.0),
        (["1", "2", "3", "", "5"], GAP, None),
        (["1", "2", "3", "", "5"], SKIP, 10 / 3),
    ],
)
def test_the_last_mean_is_that_of_the_last_bar_of_the_series(
    cells: list[str], config: JobConfig, mean: float | None
) -> None:
    for cuts in ([slice(0, 9)], [slice(0, 3), slice(3, 4), slice(4, 9)]):
        last = decided(config, FakeReader(cells, cuts))[0].accounts[""].last
        assert last is not None
        assert last.mean == mean


def out_of_order(minutes: list[int], check: str) -> list[int]:
    """List the indexes of bars that a check finds: equal to, or before, the previous bar."""
    steps = [(at, minutes[at] - minutes[at - 1]) for at in range(1, len(minutes))]
    return [at for at, step in steps if (step == 0 if check == "duplicates" else step < 0)]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.data(),
    st.sampled_from(LEVELS),
    st.sampled_from(LEVELS),
)
def test_every_bar_out_of_order_is_treated_as_the_config_says(
    minutes: list[int], data: st.DataObject, order: Level, duplicates: Level
) -> None:
    reader = FakeReader(["1"] * len(minutes), data.draw(cuts_of(len(minutes))))
    reader.times_ns = minutes
    config = CONFIG._replace(checks=Checks(order, duplicates))
    levels = {"order": order, "duplicates": duplicates}
    indexes = {check: out_of_order(minutes, check) for check in levels}
    wrong = [at for check, bad in indexes.items() if levels[check] == "error" for at in bad]
    if wrong:
        with pytest.raises(DataError, match=f"^bars.csv line {min(wrong) + 2}: is "):
            decided(config, reader)
        return
    ledger, warnings = decided(config, reader)
    counts = {check: len(bad) for check, bad in indexes.items() if levels[check] == "warn"}
    assert ledger.findings.counts == {check: count for check, count in counts.items() if count}
    assert len(warnings) == sum(min(count, SHOWN_FINDINGS) for count in counts.values())
    account = ledger.accounts[""]
    assert (account.first_ns, account.last_ns) == (minutes[0], minutes[-1])


def test_the_first_five_warnings_of_a_check_are_shown_and_all_are_counted() -> None:
    reader = FakeReader(["1"] * 9, [slice(0, 4), slice(4, 9)])
    reader.times_ns = [0] * 9
    ledger, warnings = decided(CONFIG._replace(checks=Checks(duplicates="warn")), reader)
    assert ledger.findings.counts == {"duplicates": 8}
    what = "is the same as in the previous row"
    assert warnings == [f"WARNING bars.csv line {line}: {what}" for line in range(3, 8)]


def test_each_series_has_an_order_of_its_own() -> None:
    reader = FakeReader(["1", "2", "3", "4"])
    reader.symbols, reader.times_ns = ["A", "B", "A", "B"], [5, 1, 6, 2]
    accounts = decided(CONFIG, reader)[0].accounts
    assert {name: (account.first_ns, account.last_ns) for name, account in accounts.items()} == {
        "A": (5, 6),
        "B": (1, 2),
    }


@pytest.mark.parametrize(("begin", "check"), [(60, "duplicates"), (30, "order")])
def test_a_file_that_begins_before_the_one_it_continues_ends_is_an_overlap(
    begin: int, check: str
) -> None:
    first, second = FakeReader(["1", "2"]), FakeReader(["3", "4"])
    first.name, second.name = "a.csv", "b.csv"
    first.times_ns, second.times_ns = [0, 60 * 10**9], [begin * 10**9, 90 * 10**9]
    message = (
        f"b.csv begins at 1970-01-01T00:{begin // 60:02d}:{begin % 60:02d}Z, but a.csv,"
        " which comes before it, ends at 1970-01-01T00:01:00Z: do they overlap?"
        " (if each file is of a symbol of its own, set columns: {symbol: {from: filename}};"
        " if they are of one series, set sort: true, with timezone: NAME if times without a zone"
        " are those of a place, and duplicates: same for bars that both have)"
    )
    with pytest.raises(DataError) as caught:
        decided(CONFIG, first, second)
    assert caught.value.message == message
    warned = CONFIG._replace(checks=Checks("warn", "warn"))
    ledger, warnings = decided(warned, first, second)
    assert (dict(ledger.findings.counts), warnings) == ({check: 1}, [f"WARNING {message}"])


def test_an_overlap_names_the_series() -> None:
    first, second = FakeReader(["1", "2"]), FakeReader(["3", "4"])
    first.name, second.name = "a.csv", "b.csv"
    first.times_ns, second.times_ns = [0, 5], [5, 5]
    first.symbols = second.symbols = ["A", "B"]
    with pytest.raises(DataError, match=r"^b.csv begins at 1970.*05Z for 'B', but a.csv, which"):
        decided(CONFIG, first, second)


def test_a_run_without_bars_has_an_empty_tally() -> None:
    assert decided(CONFIG)[0].tally() == (0, 0, 0, 0, 0)


class Recorder(Findings):
    """Findings that remember all."""

    def __init__(self) -> None:
        checks = ("missing", "order", "duplicates", "ohlc")
        super().__init__(dict.fromkeys(checks, "warn"), lambda level, text: None)
        self.all: list[tuple[int | None, str, str]] = []

    def is_muted(self, check: str, count: int = 1) -> bool:
        return False

    def report(self, finding: LocatedFinding, count: int = 1) -> None:
        self.all.append((finding.row, finding.check, finding.symbol))


rows = st.tuples(
    st.sampled_from("AB"), st.integers(0, 3), st.sampled_from(["1", ""]), st.booleans()
)


@given(st.lists(rows, min_size=1, max_size=8), st.booleans(), st.data())
def test_findings_are_reported_in_the_order_of_the_rows(
    bars: list[tuple[str, int, str, bool]], panel: bool, data: st.DataObject
) -> None:
    findings = Recorder()
    ledger = Ledger(GAP.rules, findings)
    expected: list[tuple[int, str, str]] = []
    last: dict[str, int] = {}
    for line, (name, minute, cell, odd) in enumerate(bars, start=2):
        symbol = name if panel else ""
        expected += [(line, "ohlc", symbol)] if odd else []
        expected += [(line, "missing", symbol)] if not cell else []
        step = minute - last.get(symbol, -1)
        expected += [(line, "order" if step else "duplicates", symbol)] if step <= 0 else []
        last[symbol] = minute
    for cut in data.draw(cuts_of(len(bars))):
        part = bars[cut]
        cells = [cell for _, _, cell, _ in part]
        batch = Batch(
            parse_closes(cells),
            cells,
            [minute for _, minute, _, _ in part],
            range(cut.start + 2, cut.stop + 2),
            [name for name, _, _, _ in part] if panel else None,
            [Finding("ohlc", index, "odd") for index, (_, _, _, odd) in enumerate(part) if odd],
        )
        if part:
            ledger.take(batch, FakeReader([]))
    assert findings.all == expected


def test_a_run_ends_at_the_first_bar_in_error_whatever_the_check() -> None:
    batch = Batch(
        parse_closes(["1"] * 4),
        ["1"] * 4,
        [5, 6, 6, 7],
        range(2, 6),
        ["B", "A", "A", "B"],
        [Finding("ohlc", 3, "is odd")],
    )
    levels = {"order": "error", "duplicates": "error", "ohlc": "error"}
    ledger = Ledger(CONFIG.rules, Findings(levels, lambda level, text: None))
    with pytest.raises(
        DataError, match=r"^bars.csv line 4: is the same as in the previous row of 'A'$"
    ):
        ledger.take(batch, FakeReader([]))
