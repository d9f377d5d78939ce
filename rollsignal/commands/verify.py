"""This module verifies a record: it compares the files, and decides the run again."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rollsignal.analysis.spot_check import KeptSignals, SpotCheck, spot_check
from rollsignal.commands.kept_outputs import KeptOutputs
from rollsignal.commands.plan import left_out_of
from rollsignal.config.reading import load_config
from rollsignal.config.rules import NO_SYMBOLS
from rollsignal.core.digest import hex_text
from rollsignal.core.findings import Found
from rollsignal.core.kernel import Tally
from rollsignal.engines import ENGINES
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import Task
from rollsignal.engines.spans import span_between
from rollsignal.errors import DataError, JobError
from rollsignal.files.find import find_paths, input_of
from rollsignal.files.fingerprints import fingerprint, is_there, stat_of
from rollsignal.files.formats import FORMATS
from rollsignal.files.locks import is_held
from rollsignal.files.open import STDIN
from rollsignal.messages import QUERY_LEFT_OUT, LogLevel, is_url, plural
from rollsignal.outputs.record.document import File, Record, Setting, load_record
from rollsignal.version import __version__

SHOWN_WRONG = 10


class Point(NamedTuple):
    """One statement of a record, and what is found now; `of` is its file, if it is about one."""

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
    """Check every point of a record, and decide its run again; raises `JobError` without a record.

    sample: `windows` of `derive`. engine: that of `derive`.
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
    yield _inputs_point(record)
    for entry in record.inputs:
        yield _input_point(entry.file)
    yield from _derivation(record, sample, engine)
    kept = KeptOutputs(record)
    for file in record.outputs:
        yield _output(file, kept)


def _equal(point: str, of: str | None, expected: object, found: object) -> Point:
    return Point(point, of, expected == found, expected, found)


def _ended(path: str, record: Record) -> Point:
    """Check that the run succeeded; a run that is still going on holds the lock of its record."""
    found: str = record.status
    if record.status == "running":
        found = f"process {record.process.id} on {record.process.host} "
        # In a store there are no locks, by which one could tell.
        is_known = not is_url(path)
        now = "is running" if is_held(path) else "did not end"
        found += now if is_known else "is running, or did not end"
    elif record.error:
        found = f"error {record.error.exit_code}: {record.error.message}"
    return _equal("status", None, "success", found)


def _settings(record: Record) -> Point:
    """Compare the settings with those that the config file has now."""
    assert record.config is not None
    # A setting that is newer than the record has its default there.
    before = record.job_config().deciding_by_name()
    asked = record.asked
    now = _or_problem(lambda: load_config(asked.config, given=asked.set).deciding_by_name())
    return _equal("config", record.asked.config, before, now)


def _inputs_point(record: Record) -> Point:
    """Check that folders and patterns still stand for the same files, tables as of their version.

    A state also knows files of earlier runs, which need not be given again.
    """
    asked = record.asked
    expected = [entry.file.path for entry in record.inputs]
    versions = {entry.file.path: entry.file.version for entry in record.inputs}
    outputs = asked.outputs
    left_out = left_out_of(asked.config, [*outputs.values()], outputs.get("--state"))
    paths = _or_problem(lambda: find_paths(asked.inputs, left_out, versions=versions))
    if asked.continues and isinstance(paths, list):
        expected = [path for path in paths if path in expected]
    return _equal("inputs", None, expected, paths)


def _input_point(file: File) -> Point:
    """Compare an input's bytes; an input that cannot be read again does not hold."""
    problem = _why_unreadable(file)
    return Point("input", file.path, False, None, problem) if problem else _bytes("input", file)


def _why_unreadable(file: File) -> str:
    """Describe why an input cannot be read again, "" if it can."""
    if file.path == STDIN:
        return "standard input cannot be read again"
    if file.path.endswith(QUERY_LEFT_OUT):
        return "its URL has a query, which a record does not hold, so it cannot be read again"
    return "not a file that can be read again" if file.sha256 is None else ""


def _output(file: File, kept: KeptOutputs) -> Point:
    """Compare an output's bytes; bars that are only added to must be those that the state knows."""
    if file.sha256 is not None or file.size is None:
        written = kept.sha256_of(file.path)
        return _bytes("output", file._replace(sha256=written) if written else file)
    stat = stat_of(file.path)
    expected, found = f"{file.size:,} bytes or more", f"{stat[0]:,} bytes" if stat else None
    holds = stat is not None and stat[0] >= file.size
    if problem := _or_problem(lambda: kept.bars(file.path)):
        return Point("output", file.path, False, "the bars that the state knows", problem)
    return Point("output", file.path, holds, expected, found)


def _bytes(point: str, file: File) -> Point:
    path, expected = file.path, file.sha256
    now = _or_problem(lambda: fingerprint(path))
    found = getattr(now, "sha256", now)
    return Point(point, path, expected is not None and found == expected, expected, found)


def _derivation(record: Record, sample: int, engine: str) -> Iterator[Point]:
    """Decide all signals again, with the settings of the record."""
    for entry in record.inputs:
        problem = _why_unreadable(entry.file)
        if entry.left:
            bars = plural(entry.left, "bar")
            problem = problem or f"{bars} that counted have left it, so they cannot be read again"
        if problem:
            yield Point("derivation", entry.file.path, False, None, problem)
            return
    try:
        derived = _derived_as_then(record, engine, sample)
    except JobError as error:
        yield Point("derivation", None, False, None, str(error))
        return
    assert record.tally is not None
    yield _equal("tally", None, record.tally._asdict(), derived.tally._asdict())
    yield _equal("series", None, record.series, derived.series)
    yield _equal("digest", None, record.digest, derived.digest)
    if derived.compared:
        expected = f"{derived.compared.windows} windows as decided"
        wrong = f"another signal: {', '.join(derived.compared.wrong[:SHOWN_WRONG])}"
        yield _equal("sample", None, expected, wrong if derived.compared.wrong else expected)


def _derived_as_then(record: Record, engine: str, sample: int) -> "Derived":
    """Decide a run again, also one of a version that found no symbols and gave its series no name.

    Raises `JobError` where that is not possible, `DataError` if such a run had several symbols.
    """
    derived = derive(record, engine, sample)
    if derived.digest == record.digest or record.job_config().columns.symbol is not None:
        return derived
    settings = {**(record.config or {}), "columns.symbol": Setting(NO_SYMBOLS.plain(), None)}
    unnamed = derive(record._replace(config=settings), engine, sample)
    if unnamed.digest != record.digest:
        return derived
    if derived.series > 1:
        raise DataError(
            f"the run read the bars of {derived.series:,} symbols as one series",
            "run again, with columns: {symbol: none} if they are one series",
        )
    return unnamed


def _or_problem(look: Callable[[], object]) -> object:
    """Return what `look` finds, or the message of its error."""
    try:
        return look()
    except JobError as error:
        return str(error)


class Derived(NamedTuple):
    """The result of deciding again: the digest as text, and the comparison of sampled windows."""

    tally: Tally
    series: int
    digest: str
    compared: SpotCheck | None = None


def derive(record: Record, engine: str = "local", windows: int = 0) -> Derived:
    """Decide a recorded run again; raises `JobError` where that is not possible.

    engine: one of `ENGINES`. windows: how many windows of every symbol are decided once more, with
    fractions.
    """
    task, decide = _task(record), ENGINES[engine]().decide
    if not windows:
        return _derived(decide(task, [], _ignore))
    # Windows are drawn from all bars, not only from those of the range of time.
    signals = KeptSignals()
    found = decide(task._replace(span=None), [signals], _ignore)
    rows = {symbol: account.tally.rows for symbol, account in found.accounts.items()}
    inputs = Inputs(task.inputs, task.config, task.format)
    checked = spot_check(inputs, signals.found, rows, windows, once_each=task.seen is not None)
    if task.span:
        found = decide(task, [], _ignore)
    return _derived(found)._replace(compared=checked)


def _derived(found: Found) -> Derived:
    return Derived(found.tally, len(found.accounts), hex_text(found.digest or 0))


def _ignore(level: LogLevel, text: str) -> None:
    """Ignore messages: the recorded run has reported them."""


def _task(record: Record) -> Task:
    """Return the task of the run; other files of a state may have the bars of one that is gone."""
    asked = record.asked
    paths = [entry.file.path for entry in record.inputs]
    if asked.continues:
        paths = [path for path in paths if is_there(path)]
    return Task(
        list(map(input_of, paths)),
        record.job_config(),
        next((format for format in FORMATS if format == asked.format), None),
        span=span_between(asked.since, asked.until),
        # As with a state, bars that an earlier file has already are left out.
        seen={} if asked.continues else None,
        digest=True,
    )
