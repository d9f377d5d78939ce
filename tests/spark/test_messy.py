"""Messy tables that Spark decides in small pieces are right, or refused, as on this machine.

`ROLLSIGNAL_CASES=1000 python -m pytest tests/spark/test_messy.py` tries more of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollsignal.config.reading import read_config
from rollsignal.config.settings import JobConfig
from rollsignal.engines.cuttable import can_be_cut
from rollsignal.engines.interface import Task
from rollsignal.errors import JobError
from rollsignal.files.find import find_paths, inputs_of
from tests.support.answers import answer
from tests.support.made_tables import Case, case
from tests.support.spark import PIECE_BYTES, answer_on_spark
from tests.support.workers import CountingRunner, SmallLocalEngine, engine_here

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CASES = int(os.environ.get("ROLLSIGNAL_CASES", "12"))


def test_a_messy_table_is_right_or_refused_as_on_this_machine(
    tmp_path: Path, session: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Undone at the end, so that the working folder is again what it was.
    monkeypatch.chdir(tmp_path)
    outcomes: list[bool] = []
    for number, (config, paths) in enumerate(written(tmp_path)):
        runner = CountingRunner()
        here = answer(engine_here(PIECE_BYTES, runner), paths, config)
        if max(runner.counts, default=0) < 2:
            continue
        found, _ = answer_on_spark(paths, config, PIECE_BYTES)
        # Word for word what pieces say here; one reading may say something else of the same file.
        assert found == here, number
        local = answer(SmallLocalEngine(), paths, config)
        assert found == local or (found.error and local.error), number
        outcomes.append(found.error is None)
        if len(outcomes) == CASES:
            break
    assert {*outcomes} == {True, False}


def written(folder: Path) -> Iterator[tuple[JobConfig, list[str]]]:
    """Write one case after the other; yield config and files of those for pieces.

    The working folder is that of the case.
    """
    for number in range(100 * CASES):
        made, own = case(number), folder / str(number)
        own.mkdir()
        with chdir(own), suppress(JobError):
            config, paths = of_case(made)
            if can_be_cut(Task(inputs_of(paths), config), []):
                yield config, paths


def of_case(made: Case) -> tuple[JobConfig, list[str]]:
    """Write the files of a case's first night into the working folder."""
    files, inputs = made.nights[0]
    for name, content in {"config.yaml": made.config.encode(), **files}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)
    return read_config("config.yaml").config, find_paths(inputs, ["config.yaml"])
