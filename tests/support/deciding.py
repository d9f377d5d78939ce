"""Decide files as a run does, without a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import fspath
from pathlib import Path
from typing import Any

from rollsignal.config.request import Request
from rollsignal.config.settings import JobConfig
from rollsignal.core.decisions import Decided, Listener
from rollsignal.core.findings import Found
from rollsignal.engines import ENGINES
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import Task
from rollsignal.files.find import Input, input_of
from rollsignal.files.formats import Format
from rollsignal.messages import LogLevel, Tell
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.signals.writer import Signals

# What is known of a run of which nothing needs to be known.
REPORT = RunReport(Request(), 0)


def ignore(level: LogLevel, text: str) -> None:
    """Be told, and do nothing."""


def files(paths: Sequence[str | Path]) -> list[Input]:
    return [input_of(fspath(path)) for path in paths]


def inputs(paths: Sequence[str | Path], config: JobConfig, format: Format | None = None) -> Inputs:
    return Inputs(files(paths), config, format)


def decide(
    paths: Sequence[str | Path],
    config: JobConfig,
    tell: Tell = ignore,
    format: Format | None = None,
    listeners: Sequence[Listener[Any]] = (),
    engine: str = "local",
) -> Found:
    """Decide files with an engine, that of a run unless another is named."""
    return ENGINES[engine]().decide(Task(files(paths), config, format), listeners, tell)


class Kept:
    """A listener that keeps what it is given."""

    def __init__(self) -> None:
        self.bars: list[Decided] = []

    def part(self) -> Kept:
        return Kept()

    def take(self, bars: Decided) -> None:
        self.bars.append(bars)

    def end(self) -> list[Decided]:
        return self.bars

    def add(self, ended: list[Decided]) -> None:
        self.bars += ended


@contextmanager
def begun(signals: Signals) -> Iterator[Signals]:
    """Begin signals, and leave nothing that is unfinished."""
    try:
        signals.begin()
        yield signals
    finally:
        signals.abandon()
