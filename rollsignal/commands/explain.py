"""This module is the story of an explanation: how the signal of one bar came about."""

from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.analysis.rivals import FloatAnswer, float_answers
from rollsignal.analysis.trace import Trace, TracedBar, trace, wanted
from rollsignal.config.reading import load_config
from rollsignal.config.rules import NO_SYMBOLS
from rollsignal.core.findings import Findings
from rollsignal.core.kernel import LastBar
from rollsignal.core.ledger import Ledger
from rollsignal.core.ticks import decimal_text
from rollsignal.core.timestamps.reader import iso
from rollsignal.engines.inputs import Inputs
from rollsignal.errors import UsageError
from rollsignal.files.find import Input, find_inputs
from rollsignal.files.open import exists
from rollsignal.messages import Tell, escaped

EXPLAIN_SETTINGS = {"seed": 0, "version": "explain"}


class Explanation(NamedTuple):
    """A bar with its window, and the answers of libraries that compute with floats."""

    trace: Trace
    answers: list[FloatAnswer]


def explain(  # noqa: PLR0913  # the flags of the command
    inputs: Sequence[str],
    config_path: str,
    at: str,
    symbol: str | None,
    tell: Tell,
    given: Sequence[str] = (),
) -> Explanation:
    """Explain the signal of the bar `at` a timestamp or `row:N`.

    Reads the bars as a run with this config does; only `window` is required in it. Raises
    `UsageError` where there is no such bar, and other `JobError`s as a run does.
    """
    bar = wanted(at, symbol)
    config = load_config(config_path, EXPLAIN_SETTINGS, given)
    if symbol is not None and config.columns.symbol == NO_SYMBOLS:
        raise UsageError("--symbol is given, but columns.symbol is none in the config")
    if config.sort:
        raise UsageError("explain does not sort", "sort the bars first, and set sort: false")
    ledger = Ledger(config.rules, Findings(config.checks._asdict(), tell))
    files = Inputs(_regular(find_inputs(inputs)), config).by_time()
    if bar.ns is not None and not config.needs_timestamps:
        # A check that warns has the timestamps read; its warnings are not shown.
        config = config._replace(checks=config.checks._replace(order="warn"))
    ordered = Inputs(files, config)
    if config.is_newest_first:
        # Arrays that are held do not keep the closes as they are written.
        ordered = ordered.carefully()
    traced = trace(ordered, bar, ledger)
    answers = [] if traced.reason else float_answers(traced.doubles, config.window)
    return Explanation(traced, answers)


def _regular(files: list[Input]) -> list[Input]:
    for file in files:
        is_there = file.kind == "stdin" or exists(file.path)
        if file.kind != "file" and is_there:
            raise UsageError(f"{file.name} is not a regular file; explain reads every file twice")
    return files


SHOWN_BARS = 20
SHOWN_TERMS = 10


def document(explanation: Explanation) -> dict[str, object]:
    """Build the JSON document. Exact numbers are strings, because JSON readers make doubles."""
    trace = explanation.trace
    bar, last = trace.bars[-1], trace.last
    return {
        "status": "no signal" if trace.reason else "signal",
        "reason": trace.reason,
        "symbol": trace.symbol or None,
        "timestamp": _stamp(bar),
        "number": trace.number,
        "window": trace.window,
        "signal": last.signal,
        "tie": None if last.margin is None else last.margin == 0,
        "rolling_mean": last.mean,
        **_sums(last),
        "bars": [_bar(bar) for bar in trace.bars],
        "floats": [
            {**answer._asdict(), "agrees": answer.signal == last.signal}
            for answer in explanation.answers
        ],
    }


def _sums(last: LastBar) -> dict[str, object]:
    """Return both sides of the comparison in ticks, and their difference."""
    names = ("tick", "window_close_ticks", "window_sum_ticks", "margin_ticks")
    if last.close is None or last.margin is None:
        return dict.fromkeys(names)
    product = last.window * last.close
    numbers = (product, product - last.margin, last.margin)
    tick = decimal_text(1, last.scale)
    return dict(zip(names, (tick, *map(_ticks, numbers)), strict=True))


def _bar(bar: TracedBar) -> dict[str, object]:
    return {"file": bar.file, bar.unit: bar.line, "timestamp": _stamp(bar), "close": bar.cell}


def _stamp(bar: TracedBar) -> str | None:
    return None if bar.ns is None else iso(bar.ns)


def explanation_text(explanation: Explanation) -> str:
    """Write the explanation for people."""
    trace = explanation.trace
    bar, last = trace.bars[-1], trace.last
    name = " ".join(filter(None, [trace.symbol, _stamp(bar)])) or "the bar"
    answer = f"no signal: {trace.reason}" if trace.reason else f"signal {last.signal}"
    lines = [f"{name}, number {trace.number:,} of its series: {answer}", ""]
    lines += _window_lines(trace)
    if last.close is not None and last.margin is not None:
        lines += ["", *_comparison(trace, last, last.close, last.margin)]
        lines += ["", "with floats, given the series up to this bar:"]
        lines += _answer_lines(explanation.answers, last)
    return "".join(escaped(line) + "\n" for line in lines)


def _window_lines(trace: Trace) -> list[str]:
    """List the bars of the window; leave out the middle of a long one."""
    count, half = len(trace.bars), SHOWN_BARS // 2
    is_long = count > SHOWN_BARS
    bars = [*trace.bars[:half], *trace.bars[-half:]] if is_long else trace.bars
    rows = [(f"{bar.file} {bar.unit} {bar.line}", _stamp(bar) or "", bar) for bar in bars]
    wide, stamp_wide = (max(len(row[at]) for row in rows) for at in (0, 1))
    lines = [
        f"  {f'{where:<{wide}}  {stamp:<{stamp_wide}}'.rstrip()}  {bar.cell.strip() or 'missing'}"
        for where, stamp, bar in rows
    ]
    if is_long:
        lines.insert(half, f"  … {count - SHOWN_BARS:,} more …")
    of = f"{count:,} of {trace.window:,} bars" if count < trace.window else f"{count:,} bars"
    return [f"the closes of its window, {of}:", *lines]


def _comparison(trace: Trace, last: LastBar, close: int, margin: int) -> list[str]:
    product = last.window * close
    total = _ticks(product - margin)
    if 1 < last.window <= SHOWN_TERMS:
        ticks = [tick or 0 for tick in trace.closes.values]
        terms = "".join(f" {'-' if tick < 0 else '+'} {_ticks(abs(tick))}" for tick in ticks)
        total = f"{terms.removeprefix(' + ').removeprefix(' ')} = {total}"
    meaning = "a tie" if margin == 0 else "above zero" if margin > 0 else "below zero"
    return [
        f"compared exactly, in ticks of {decimal_text(1, last.scale)}:",
        f"  window * close  {last.window} * {_ticks(close)} = {_ticks(product)}",
        f"  window sum      {total}",
        f"  margin          {_ticks(product)} - {_ticks(product - margin)} = {_ticks(margin)}:"
        f" {meaning}, so the signal is {last.signal}",
        f"  rolling mean    {last.mean!r}, rounded to be shown",
    ]


def _ticks(number: int) -> str:
    return decimal_text(number, 0)


def _answer_lines(answers: list[FloatAnswer], last: LastBar) -> list[str]:
    width = max(len(answer.engine) for answer in answers)
    means = ["not a number" if a.mean is None else repr(a.mean) for a in answers]
    mean_width = max(map(len, means))
    lines = []
    for answer, mean in zip(answers, means, strict=True):
        signal = "none" if answer.signal is None else answer.signal
        verdict = "agrees" if answer.signal == last.signal else "WRONG"
        lines.append(
            f"  {answer.engine:<{width}}  mean {mean:<{mean_width}}  signal {signal}  {verdict}"
        )
    return lines
