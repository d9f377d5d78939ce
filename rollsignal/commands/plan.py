"""This module plans a run: what it reads and writes, and that no output is an input."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.config.reading import ReadConfig
from rollsignal.config.request import Request
from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine, Task
from rollsignal.engines.progress import total_bytes
from rollsignal.errors import ConfigError, JobError, UsageError
from rollsignal.files.find import Input, find_paths, inputs_of
from rollsignal.files.open import identity, open_input
from rollsignal.messages import is_url, shown_path
from rollsignal.outputs.interface import BARS_FOLDER, Output
from rollsignal.outputs.metrics import MetricsFile

if TYPE_CHECKING:
    from rollsignal.commands.resume import Resumed
    from rollsignal.engines.spans import Span
    from rollsignal.outputs.signals.writer import Signals

WORKER_BYTES = 512 << 20
# One process keeps more than one core busy, as it reads ahead: on two cores two gain nothing.
LEAST_CORES = 3
_ONE_SLASH = ("s3:/", "gs:/", "az:/", "abfss:/", "http:/", "https:/")


class Plan(NamedTuple):
    """What a run reads, which engine decides it, and its outputs in the order they are finished."""

    task: Task
    engine: Engine
    outputs: list[Output]
    resumed: "Resumed | None" = None


def resolve(request: Request, read: ReadConfig) -> Plan:
    """Plan a run; raises `JobError` where it could not begin."""
    config = read.config
    task = Task(
        requested_inputs(request),
        config,
        request.format,
        span=_span(request),
        digest=request.record is not None,
    )
    outputs: list[Output] = []
    signals, resumed = None, None
    if request.signals:
        merge = task.span is not None and request.partition_by is not None
        kind = _signals_kind(request.signals)
        signals = kind(request.signals, config.window, request.partition_by, merge=merge)
    if request.state:
        from rollsignal.commands.resume import Resumed

        # The state promises the signals, so it is saved before they are put in their places.
        resumed = Resumed(request.state, task, signals)
        outputs.append(resumed)
    if signals:
        outputs.append(signals)
    if request.summary:
        from rollsignal.outputs.summary import Summary

        outputs.append(Summary(request.summary))
    return Plan(task, _engine(request, task), [*outputs, MetricsFile(request.output)], resumed)


def _signals_kind(path: str) -> "type[Signals]":
    if is_url(path):
        from rollsignal.outputs.signals.in_store import StoredSignals

        return StoredSignals
    from rollsignal.outputs.signals.writer import Signals

    return Signals


def _engine(request: Request, task: Task) -> Engine:
    """Return the engine that is asked for; raises `ConfigError` for what a cluster cannot do."""
    name = request.engine or task.config.engine
    _check_table(request, task, name)
    if name == "spark":
        _check_for_spark(request, task)
    if name != "local":
        return ENGINES[name]()
    workers = request.workers or task.config.workers
    if workers == "auto":
        workers = _usual_workers(task)
    if workers == 1:
        return ENGINES["local"]()
    from rollsignal.engines.pieces import PiecesEngine

    return PiecesEngine(workers)


def _check_table(request: Request, task: Task, engine: str) -> None:
    """Raise `UsageError` for a table that is not the only input of Spark."""
    table = next((file for file in task.inputs if file.kind == "table"), None)
    if table is None:
        return
    if engine != "spark":
        hint = "add --engine spark; a file of this name is ./"
        raise UsageError(f"{table.path} is a table, which only Spark reads", hint + table.path)
    if len(task.inputs) > 1:
        hint = "name a view that has the rows of all"
        raise UsageError(f"{table.path} is a table, which is read alone", hint)
    if request.format:
        hint = "leave out --format"
        raise UsageError(f"{table.path} is a table, which has no format", hint)


def _check_for_spark(request: Request, task: Task) -> None:
    """Raise the error for what pieces of bars on a cluster cannot decide."""
    for file in task.inputs:
        if file.kind == "other":
            # What cannot be opened is refused as everywhere; a pipe can be.
            open_input(file.path).close()
    others = [file.name for file in task.inputs if file.kind not in ("file", "url", "table")]
    # A table is always sorted.
    is_table = task.inputs[0].kind == "table"
    drops = task.config.duplicates != "keep"
    of_one = {
        "--state": request.state is not None,
        "open_bars": task.config.open_bars > 0,
        f"The input {''.join(others[:1])}": bool(others),
        "order: newest_first": task.config.is_newest_first and not is_table,
        f"duplicates: {task.config.duplicates}": drops and (is_table or not task.config.sort),
    }
    for what, is_asked in of_one.items():
        if is_asked:
            message = f"{what} needs all bars in one process, and engine is spark"
            raise ConfigError(message, "set engine: local")


def _usual_workers(task: Task) -> int:
    """Return how many processes a task is worth, at most as many as cores that may be used."""
    worth = total_bytes(task.inputs) // WORKER_BYTES
    if worth < 2:
        return 1
    from rollsignal.engines.cores import usable_cores

    cores = usable_cores()
    return min(worth, cores) if cores >= LEAST_CORES else 1


def requested_inputs(request: Request) -> list[Input]:
    """Find the files to read, without the outputs of an earlier run in an input folder.

    Raises `InputError` where there is no file, `UsageError` for a file named twice, `DataError` for
    files of a table with a log of its own.
    """
    return inputs_of(requested_paths(request))


def requested_paths(request: Request, *, ask_stores: bool = True) -> list[str]:
    """Return the paths of the files to read, as `requested_inputs` does.

    ask_stores: list folders and patterns in object stores; otherwise they are returned as given.
    """
    left_out = left_out_of(request.config, request.written, request.state)
    return find_paths(request.inputs, left_out, ask_stores=ask_stores)


def left_out_of(config: str, written: Sequence[str], state: str | None) -> list[str]:
    """List what a folder of inputs does not stand for: the config, outputs, and bars of a state."""
    left_out = [config, *written]
    if state and is_url(state):
        left_out.append(f"{state}{BARS_FOLDER}")
    elif state:
        from rollsignal.outputs.state.history import bars_files

        left_out += bars_files(state)
    return left_out


def expanded(request: Request) -> Request:
    """Replace local folders and patterns by their files; keep the request if that fails."""
    try:
        files = tuple(requested_paths(request, ask_stores=False))
    except JobError:
        return request
    return request._replace(inputs=files, given=request.inputs)


def conflict(request: Request) -> UsageError | None:
    """Find an output that cannot be a file, or is an input or another output, even by a link."""
    outputs = list(request.outputs.items())
    if request.log_file is not None:
        outputs.append(("--log-file", request.log_file))
    named = {identity(request.config): "--config"}
    named |= {identity(path): "--input" for path in request.inputs}
    for flag, path in outputs:
        problem = _problem(request, flag, path)
        first_flag = named.setdefault(identity(path), flag)
        if not problem and first_flag != flag:
            problem = f"{flag} and {first_flag} are the same file"
        if problem:
            return UsageError(f"{problem}; nothing was written", f"path: {shown_path(path)}")
    for path in request.inputs:
        if _is_partition(request, path):
            what = "--signals would replace a file that --input reads; nothing was written"
            return UsageError(what, f"path: {shown_path(path)}")
    if not any(map(is_url, request.inputs)):
        return None
    from rollsignal.commands.store_targets import read_as_bars

    return read_as_bars(request)


def _problem(request: Request, flag: str, path: str) -> str:
    """Describe what is wrong with an output's path by itself, "" if nothing is."""
    if path == "-":
        return f"{flag} is -, which is not a file (write ./- for a file of that name)"
    if is_url(path):
        from rollsignal.commands.store_targets import problem_of_url

        return problem_of_url(request, flag, path)
    # pathlib makes this of a URL; a folder called s3: would be made, and the run succeed.
    if path.startswith(_ONE_SLASH):
        return f"{flag} has one slash after the colon (give the URL as text: s3://BUCKET/NAME)"
    if flag != "--state" and _is_of_state(request, path):
        return f"{flag} is a file where --state keeps its bars"
    return ""


def _is_of_state(request: Request, path: str) -> bool:
    """Return whether a path is that of a file of bars beside the state."""
    if not request.state:
        return False
    folder, name = os.path.split(os.path.realpath(path))
    own_folder, own_name = os.path.split(os.path.realpath(request.state))
    return folder == own_folder and name.startswith(f"{own_name}.") and name.endswith(".bars")


def _is_partition(request: Request, path: str) -> bool:
    """Return whether a file is in the folder of a partition of the signals."""
    if not (request.signals and request.partition_by):
        return False
    folder = os.path.dirname(os.path.dirname(os.path.realpath(path)))
    return identity(folder) == identity(request.signals)


def log_is_output(request: Request) -> bool:
    """Return whether the log is the same file as another output."""
    log = identity(request.log_file or "")
    return log in {identity(path) for path in request.outputs.values()}


def check_flags(request: Request) -> None:
    """Raise `UsageError` for flags that cannot be combined."""
    if request.if_changed and not request.record:
        raise UsageError("--if-changed compares with a record; name it with --record")
    _check_targets(request)
    # This also refuses a time that cannot be read.
    if _span(request) and request.state:
        raise UsageError("--state cannot be combined with --since or --until")
    if request.expect is not None:
        from rollsignal.commands.expected import expected_ns

        expected_ns(request)
    if request.summary:
        from rollsignal.outputs.summary import summary_suffix

        summary_suffix(request.summary)
    if request.partition_by not in (None, "symbol", "date"):
        raise UsageError(f"--partition-by is {request.partition_by!r}, not symbol or date")
    if request.partition_by and not request.signals:
        raise UsageError("--partition-by writes the signals as a folder; name it with --signals")
    if request.signals:
        from rollsignal.outputs.signals import forms

        forms.signals_suffix(request.signals, request.partition_by)


def _check_targets(request: Request) -> None:
    """Raise `UsageError` for targets that cannot be told of the run."""
    if not request.publish:
        return
    if not request.record:
        raise UsageError("--publish tells of a record; name it with --record")
    from rollsignal.publish.targets import target_of

    for target in request.publish:
        target_of(target)


def _span(request: Request) -> "Span | None":
    """Return the range of time if one is given; raises `UsageError`."""
    if request.since is None and request.until is None:
        return None
    from rollsignal.engines.spans import span_between

    return span_between(request.since, request.until)
