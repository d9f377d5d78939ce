"""This module is the story of an explanation: how the signal of one bar came about."""

import os
from collections.abc import Sequence

from rollsignal.bars.source import STDIN, find_inputs
from rollsignal.config import load_config
from rollsignal.engines.book import Book
from rollsignal.engines.doubts import Doubts, Tell
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.tracing import trace, wanted
from rollsignal.errors import UsageError, shown_path
from rollsignal.floats import float_answers
from rollsignal.sinks.explanation import Explanation

ASSUMED = {"seed": 0, "version": "explain"}


def explain(
    given: Sequence[str], config_path: str, at: str, symbol: str | None, tell: Tell
) -> Explanation:
    """Explain the signal of the bar `at` a timestamp or `row:N`.

    Reads as a run with this config does; the config may lack what only a run needs. Raises
    `UsageError` where there is no such bar, and other `JobError`s as a run does.
    """
    bar = wanted(at, symbol)
    config = load_config(config_path, ASSUMED)
    if symbol is not None and config.columns.symbol is None:
        raise UsageError("--symbol is given, but the config names no columns.symbol")
    if config.sort:
        raise UsageError("explain does not sort", "sort the bars first, and set sort: false")
    book = Book(config, Doubts(config.checks._asdict(), tell))
    paths = Inputs(_regular(find_inputs(given)), config).by_time()
    if bar.ns is not None and not config.needs_timestamps:
        # Timestamps are then read all the same, though nothing is said about them.
        config = config._replace(checks=config.checks._replace(order="warn"))
    found = trace(Inputs(paths, config), bar, book)
    answers = [] if found.reason else float_answers(found.doubles, config.window)
    return Explanation(found, answers)


def _regular(paths: list[str]) -> list[str]:
    for path in paths:
        if path == STDIN or (os.path.exists(path) and not os.path.isfile(path)):
            raise UsageError(f"{shown_path(path)} is read twice here, and must be a regular file")
    return paths
