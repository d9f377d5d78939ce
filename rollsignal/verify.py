"""This module tells what of a run's record still holds: it looks at the files, and runs again."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rollsignal import __version__
from rollsignal.bars.source import STDIN, find_inputs
from rollsignal.config import load_config
from rollsignal.derivation import Engine, derive
from rollsignal.errors import DataError, JobError
from rollsignal.fingerprints import fingerprint, stat_of
from rollsignal.locks import is_held
from rollsignal.sinks.record import File, Record, load_record, settings_of

SHOWN_WRONG = 10


class Point(NamedTuple):
    """One thing that a record says, and what is so now; `of` is the file it is about, if any."""

    point: str
    of: str | None
    holds: bool
    expected: object
    found: object


class Verified(NamedTuple):
    """The report of a verification as it is printed, and the exit code."""

    document: dict[str, object]
    exit_code: int


def verify(path: str, sample: int = 0, engine: Engine = "local") -> Verified:
    """Derive a recorded run again, and compare; raises `JobError` where there is no record.

    sample and engine are those of `derive`.
    """
    record = load_record(path)
    points = list(_points(path, record, sample, engine))
    holds = all(point.holds for point in points)
    document: dict[str, object] = {
        "record": path,
        "status": record.status,
        "holds": holds,
        "points": [point._asdict() for point in points],
    }
    return Verified(document, 0 if holds else DataError.exit_code)


def _points(path: str, record: Record, sample: int, engine: Engine) -> Iterator[Point]:
    yield _ended(path, record)
    yield _equal("program", None, record.program.rollsignal, __version__)
    if record.status != "success":
        return
    yield _settings(record)
    yield _names(record)
    for one in record.inputs:
        yield _input(one.file)
    yield from _derived(record, sample, engine)
    for file in record.outputs:
        yield _output(file)


def _equal(point: str, of: str | None, expected: object, found: object) -> Point:
    return Point(point, of, expected == found, expected, found)


def _ended(path: str, record: Record) -> Point:
    """Tell whether the run succeeded; one that still says running holds the record's lock."""
    found: str = record.status
    if record.status == "running":
        process = f"process {record.process.id} on {record.process.host}"
        found = f"{process} is running" if is_held(path) else f"{process} did not end"
    elif record.error:
        found = f"error {record.error.exit_code}: {record.error.message}"
    return _equal("status", None, "success", found)


def _settings(record: Record) -> Point:
    """Compare the settings in the config file now."""
    assert record.config is not None
    before = {name: setting.value for name, setting in record.config.items()}

    def now() -> object:
        named = settings_of(load_config(record.asked.config), {})
        return {name: setting.value for name, setting in named.items()}

    return _equal("config", record.asked.config, before, _or_problem(now))


def _names(record: Record) -> Point:
    """Look whether folders and patterns still stand for the same files.

    A state also knows files that were named before, and need not be named any more.
    """
    asked = record.asked
    expected = [one.file.path for one in record.inputs]
    left_out = [asked.config, *asked.outputs.values()]
    found = _or_problem(lambda: find_inputs(asked.inputs, left_out))
    if asked.continues and isinstance(found, list):
        expected = [path for path in found if path in expected]
    return _equal("inputs", None, expected, found)


def _input(file: File) -> Point:
    """Compare an input's bytes; what cannot be read again does not hold."""
    lost = _lost(file)
    return Point("input", file.path, False, None, lost) if lost else _bytes("input", file)


def _lost(file: File) -> str:
    """Tell why an input cannot be read again, "" if it can."""
    if file.path == STDIN:
        return "standard input cannot be read again"
    return "no file that can be read again" if file.sha256 is None else ""


def _output(file: File) -> Point:
    """Compare an output's bytes; one that is not hashed must not have become shorter."""
    if file.sha256 is not None or file.size is None:
        return _bytes("output", file)
    told = stat_of(file.path)
    expected, found = f"{file.size:,} bytes or more", f"{told[0]:,} bytes" if told else None
    return Point("output", file.path, told is not None and told[0] >= file.size, expected, found)


def _bytes(point: str, file: File) -> Point:
    path, expected = file.path, file.sha256
    now = _or_problem(lambda: fingerprint(path))
    found = getattr(now, "sha256", now)
    return Point(point, path, expected is not None and found == expected, expected, found)


def _derived(record: Record, sample: int, engine: Engine) -> Iterator[Point]:
    """Decide all signals again, with the settings of the record."""
    lost = [one.file for one in record.inputs if _lost(one.file)]
    if lost:
        yield Point("derivation", lost[0].path, False, None, _lost(lost[0]))
        return
    try:
        found = derive(record, engine, sample)
    except JobError as error:
        yield Point("derivation", None, False, None, str(error))
        return
    assert record.tally is not None
    yield _equal("tally", None, record.tally._asdict(), found.tally._asdict())
    yield _equal("series", None, record.series, found.series)
    yield _equal("digest", None, record.digest, found.digest)
    if found.compared:
        expected = f"{found.compared.windows} windows as decided"
        wrong = f"another signal: {', '.join(found.compared.wrong[:SHOWN_WRONG])}"
        yield _equal("sample", None, expected, wrong if found.compared.wrong else expected)


def _or_problem(look: Callable[[], object]) -> object:
    """Look, or tell what keeps from looking."""
    try:
        return look()
    except JobError as error:
        return str(error)
