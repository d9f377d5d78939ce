"""Tasks on Spark that fail in one way or another, and what comes of a job in which they do."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import ClassVar, NamedTuple
from unittest import mock

from rollsignal.core.reader import Reader
from rollsignal.engines.runner import Work
from rollsignal.engines.spark import engine
from rollsignal.engines.spark.runner import SparkRunner
from rollsignal.engines.spark.session import session_in_use
from rollsignal.engines.splits import Split
from tests.support.answers import CONFIG, Answer, answer
from tests.support.spark import PIECE_BYTES, SmallSparkEngine
from tests.support.workers import SmallReading


class Killing(NamedTuple):
    """A task whose process is killed at some numbers, each time until a file says it was."""

    task: Work
    folder: str
    numbers: tuple[int, ...]

    def run(self, number: int) -> bytes:
        if number in self.numbers and self._first(number):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.task(number)

    def _first(self, number: int) -> bool:
        try:
            os.close(os.open(f"{self.folder}/{number}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True


class ExecutorKilling(Killing):
    """A task whose executor, the JVM above the Python processes, is killed once."""

    def run(self, number: int) -> bytes:
        if number in self.numbers and self._first(number):
            os.kill(_jvm_above(os.getpid()), signal.SIGKILL)
            time.sleep(60)
        return self.task(number)


class Lagging(Killing):
    """A task that first waits long, and then does all its work; a copy of it does not wait."""

    def run(self, number: int) -> bytes:
        if number in self.numbers and self._first(number):
            time.sleep(20)
        return self.task(number)


def _jvm_above(process: int) -> int:
    """Return the id of the first ancestor that is Java."""
    while b"java" not in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[0]:
        process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    return process


def answer_while(
    kind: type[Killing], paths: list[Path], folder: Path, numbers: tuple[int, ...]
) -> tuple[Answer, list[str]]:
    """Decide files while tasks of each pass fail; also return which ones did."""

    class FailingRunner(SparkRunner):
        passes: ClassVar[list[str]] = []

        def run(self, count: int, task: Work) -> Iterator[bytes]:
            if count <= max(numbers):
                # Before the passes, one task looks at the files.
                return super().run(count, task)
            own = folder / str(len(self.passes))
            own.mkdir()
            self.passes.append(str(own))
            return super().run(count, kind(task, str(own), numbers).run)

    with mock.patch.object(engine, "SparkRunner", FailingRunner):
        found = answer(SmallSparkEngine(PIECE_BYTES, SmallReading), paths, CONFIG)
    return found, sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))


class Blind(NamedTuple):
    """A task that finds no file."""

    task: Work

    def run(self, number: int) -> bytes:
        with mock.patch("rollsignal.engines.passes.stat_of", return_value=None):
            return self.task(number)


class ChangingReading(SmallReading):
    """Read files to which somebody adds a bar when they were read."""

    @contextmanager
    def _opened(self, split: Split, first_row: int | None) -> Iterator[Reader]:
        with super()._opened(split, first_row) as reader:
            yield reader
            with open(split.file.path, "a") as file:
                file.write("2024-02-01 00:00:00,A,1\n")


def where_the_program_is() -> str:
    with session_in_use() as session:
        return str(next(SparkRunner(session).run(1, own_program)), "utf-8")


def own_program(number: int) -> bytes:
    import rollsignal

    return str(rollsignal.__file__).encode()


def answer_in(folder: str) -> Answer:
    """Decide a file that is named by a relative path."""
    with chdir(folder):
        return answer(SmallSparkEngine(PIECE_BYTES, SmallReading), [Path("bars.csv")], CONFIG)
