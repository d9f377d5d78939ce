"""This module tells what of a run's record still holds: it looks at the files, and runs again."""

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rollsignal.analysis.spot_check import KeptSignals, SpotCheck, spot_check
from rollsignal.config.reading import load_config
from rollsignal.core.digest import hex_text
from rollsignal.core.findings import Found
from rollsignal.core.kernel import Tally
from rollsignal.engines import ENGINES
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import Task
from rollsignal.engines.spans import span_between
from rollsignal.errors import DataError, JobError
from rollsignal.files.find import find_paths, input_of
from rollsignal.files.fingerprints import fingerprint, stat_of
from rollsignal.files.formats import FORMATS
from rollsignal.files.locks import is_held
from rollsignal.files.open import STDIN
from rollsignal.messages import LogLevel
from rollsignal.outputs.record.document import File, Record, load_record, settings_of
from rollsignal.version import __version__

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


def verify(path: str, sample: int = 0, engine: str = "local") -> Verified:
    """Derive a recorded run again, and spot_check; raises `JobError` where there is no record.

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


def _points(path: str, record: Record, sample: int, engine: str) -> Iterator[Point]:
    yield _ended(path, record)
    yield _equal("program", None, record.program.rollsignal, __version__)
    if record.status != "success":
        return
    yield _settings(record)
    yield _names(record)
    for one in record.inputs:
        yield _input(one.file)
    yield from _derivation(record, sample, engine)
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
    found = _or_problem(lambda: find_paths(asked.inputs, left_out))
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


def _derivation(record: Record, sample: int, engine: str) -> Iterator[Point]:
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


class Derived(NamedTuple):
    """What came out: the digest as text, and the windows that were decided once more if any."""

    tally: Tally
    series: int
    digest: str
    compared: SpotCheck | None = None


def derive(record: Record, engine: str = "local", windows: int = 0) -> Derived:
    """Decide a recorded run again; raises `JobError` where that is not possible.

    engine: one of `ENGINES`. windows: how many of every symbol are decided once more, with
    fractions.
    """
    task, decide = _task(record), ENGINES[engine]().decide
    if not windows:
        return _derived(decide(task, [], _to_nobody))
    # Windows are drawn from all bars, whatever range of time counts.
    signals = KeptSignals()
    found = decide(task._replace(span=None), [signals], _to_nobody)
    rows = {symbol: account.tally.rows for symbol, account in found.accounts.items()}
    inputs = Inputs(task.inputs, task.config, task.format)
    checked = spot_check(inputs, signals.found, rows, windows, once_each=task.seen is not None)
    if task.span:
        found = decide(task, [], _to_nobody)
    return _derived(found)._replace(compared=checked)


def _derived(found: Found) -> Derived:
    return Derived(found.tally, len(found.accounts), hex_text(found.digest or 0))


def _to_nobody(level: LogLevel, text: str) -> None:
    """Tell nobody: the run itself has told."""


def _task(record: Record) -> Task:
    """Return what was decided; other files may have the bars of one that is gone since."""
    asked = record.asked
    paths = [one.file.path for one in record.inputs]
    if asked.continues:
        paths = [path for path in paths if os.path.exists(path)]
    return Task(
        list(map(input_of, paths)),
        record.job_config(),
        next((form for form in FORMATS if form == asked.format), None),
        span=span_between(asked.since, asked.until),
        # What a file repeats of those before it is left out, as a state has left it out.
        seen={} if asked.continues else None,
        digest=True,
    )
