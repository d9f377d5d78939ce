"""This module is sent to executors as it is, so it imports nothing of the program before it must.

There may be no rollsignal on an executor, or another one: then the answer is a sentence that says
so, instead of an error of the import somewhere.
"""

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

LACKING = "An executor of Spark"
"""How the sentence begins that says what an executor lacks."""

CODE = "code"
"""Instead of the name of a package: a digest of the sources of this program."""

ANSWERS = "number long, answer binary"
"""The columns of what a carried task yields: its number, and a pickled pair: see `answer_of`."""


def versions_here() -> dict[str, str]:
    """Return the version of all that decides results; "" for a package that is not installed.

    Two programs of one version may differ, so the sources of this one are compared too.
    """
    versions = {"Python": "{}.{}".format(*sys.version_info)}
    for name in ("rollsignal", "numpy", "polars"):
        try:
            versions[name] = __import__(name).__version__
        except ImportError:
            versions[name] = ""
    try:
        from rollsignal.engines.spark.sources import code_digest

        versions[CODE] = code_digest()
    except ImportError:
        versions[CODE] = ""
    return versions


def misfit(wanted: Mapping[str, str], found: Mapping[str, str]) -> str:
    """Describe what an executor lacks, or has in another version; "" if it has all."""
    for name, version in wanted.items():
        if found[name] != version:
            if name == CODE:
                number = wanted["rollsignal"]
                return f"{LACKING} has rollsignal {number} with other code than the driver has"
            here = f"has {name} {found[name]}" if found[name] else f"has no {name}"
            return f"{LACKING} {here}, and the driver has {name} {version}"
    return ""


def carried(
    task: bytes, wanted: Mapping[str, str], folder: str = ""
) -> "Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]":
    """Return a function for `mapInArrow` that calls a pickled task with each number it receives.

    wanted: the versions that an executor must have. folder: where relative paths begin, if it is
    on the executor.
    """

    def carry(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        make_paths_absolute()
        import pyarrow as pa

        problem = misfit(wanted, versions_here())
        call: Callable[[int], bytes] | None = None if problem else pickle.loads(task)
        for batch in batches:
            for number in batch.column(0).to_pylist():
                with working_in(folder):
                    answer = answer_of(call, number) if call else pickle.dumps((problem, None))
                columns = [pa.array([number], pa.int64()), pa.array([answer], pa.binary())]
                yield pa.RecordBatch.from_arrays(columns, ["number", "answer"])

    return carry


def make_paths_absolute() -> None:
    """Let modules be found in whatever folder this process works: Spark adds archives as `./…`."""
    sys.path[:] = map(os.path.abspath, sys.path)


@contextmanager
def working_in(folder: str) -> Iterator[None]:
    """Work in a folder if it is there; leave the process in its own at the end."""
    before = os.getcwd()
    if os.path.isdir(folder):
        os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def carried_rows(
    task: bytes, wanted: Mapping[str, str]
) -> "Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]":
    """Return a function for `mapInArrow` that calls a pickled task with the batches of a partition.

    The task yields batches of its own. Executors that lack something raise an error.
    """

    def carry(batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        make_paths_absolute()
        if problem := misfit(wanted, versions_here()):
            raise ImportError(problem)
        yield from pickle.loads(task)(batches)

    return carry


def answer_of(call: Callable[[int], bytes], number: int) -> bytes:
    """Call a task; return the pickled pair of its result and None, or of "" and its error."""
    try:
        return pickle.dumps((call(number), None))
    except Exception as error:
        from rollsignal.engines.worker import sendable

        return pickle.dumps((b"", sendable(error)))


def rows_of(rows: Any) -> dict[int, bytes]:
    """Return the answers of collected rows by their numbers."""
    return {row["number"]: bytes(row["answer"]) for row in rows}
