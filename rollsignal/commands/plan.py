"""This module finds out what a run is to read and write, and that no two of these are one file."""

import os
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.config.reading import ReadConfig, read_config
from rollsignal.config.request import Request
from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine, Task
from rollsignal.errors import JobError, UsageError
from rollsignal.files.find import Input, find_paths, input_of
from rollsignal.files.open import identity
from rollsignal.messages import escaped, is_url, shown_path
from rollsignal.outputs.interface import Output
from rollsignal.outputs.metrics import MetricsFile

if TYPE_CHECKING:
    from rollsignal.commands.resume import Resumed
    from rollsignal.engines.spans import Span


class Plan(NamedTuple):
    """What a run reads, who decides it, and what it leaves, in the order of their finishing."""

    task: Task
    engine: Engine
    outputs: list[Output]
    resumed: "Resumed | None" = None


def resolve(request: Request, read: ReadConfig) -> Plan:
    """Find out what a run is to do; raises `JobError` where it could not even begin."""
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
        from rollsignal.outputs.signals.writer import Signals

        merge = task.span is not None and request.partition_by is not None
        signals = Signals(request.signals, config.window, request.partition_by, merge=merge)
        outputs.append(signals)
    if request.summary:
        from rollsignal.outputs.summary import Summary

        outputs.append(Summary(request.summary))
    if request.state:
        from rollsignal.commands.resume import Resumed

        resumed = Resumed(request.state, task, signals)
        outputs.append(resumed)
    return Plan(task, ENGINES["local"](), [*outputs, MetricsFile(request.output)], resumed)


def dry_run(request: Request) -> str:
    """Describe what a run would read and write and with which settings, and write nothing.

    Raises `JobError` where the run would fail before its first row.
    """
    request = expanded(request)
    problem = conflict(request)
    if problem:
        raise problem
    check_flags(request)
    read = read_config(request.config)
    plan = resolve(request, read)
    settings = read.config.by_name()
    return "\n".join(
        [
            *(f"would read  {file}" for file in plan.engine.describe(plan.task)),
            *(f"would write {shown_path(path)}" for path in request.written),
            *(f"setting     {name}: {_shown(value)}" for name, value in settings.items()),
        ]
    )


def _shown(value: object) -> str:
    text = "null" if value is None else str(value)
    return text.lower() if isinstance(value, bool) else escaped(text)


def requested_inputs(request: Request) -> list[Input]:
    """Find the files to read; a folder's own outputs of an earlier run are none of them.

    Raises `InputError` where there is nothing, `UsageError` for a file named twice.
    """
    return [input_of(path) for path in requested_paths(request)]


def requested_paths(request: Request, *, ask_stores: bool = True) -> list[str]:
    """Return the paths of the files to read, as `requested_inputs` does.

    ask_stores: have object stores list their folders and patterns, which stay as they are
    otherwise.
    """
    ours = [request.config, *request.written]
    if request.state:
        from rollsignal.outputs.state.history import bars_files

        ours += bars_files(request.state)
    return find_paths(request.inputs, ours, ask_stores=ask_stores)


def expanded(request: Request) -> Request:
    """Replace local folders and patterns by their files, as far as there are any."""
    try:
        files = tuple(requested_paths(request, ask_stores=False))
    except JobError:
        return request
    return request._replace(inputs=files, given=request.inputs)


def conflict(request: Request) -> UsageError | None:
    """Find an output that is no file, an input, or the other output, also through links."""
    outputs = list(request.outputs.items())
    if request.log_file is not None:
        outputs.append(("--log-file", request.log_file))
    named = {identity(request.config): "--config"}
    named |= {identity(path): "--input" for path in request.inputs}
    for flag, path in outputs:
        what = _problem(request, flag, path)
        other = named.setdefault(identity(path), flag)
        if not what and other != flag:
            what = f"{flag} and {other} are the same file"
        if what:
            return UsageError(f"{what}; nothing was written", f"path: {shown_path(path)}")
    for path in request.inputs:
        if _is_partition(request, path):
            what = "--signals would replace a file that --input reads; nothing was written"
            return UsageError(what, f"path: {shown_path(path)}")
    return None


def _problem(request: Request, flag: str, path: str) -> str:
    """Say what is wrong with an output's path by itself, "" if nothing is."""
    if path == "-":
        return f"{flag} is -, which is no file (write ./- for one of that name)"
    if is_url(path):
        return f"{flag} is a URL, and outputs are local files"
    if flag != "--state" and _is_of_state(request, path):
        return f"{flag} is a file that --state keeps its bars in"
    return ""


def _is_of_state(request: Request, path: str) -> bool:
    """Tell whether a path has the name of a file that a state keeps beside itself."""
    if not request.state:
        return False
    folder, name = os.path.split(os.path.realpath(path))
    own_folder, own_name = os.path.split(os.path.realpath(request.state))
    return folder == own_folder and name.startswith(f"{own_name}.") and name.endswith(".bars")


def _is_partition(request: Request, path: str) -> bool:
    """Tell whether a file lies where the partitions of the signals go."""
    if not (request.signals and request.partition_by):
        return False
    folder = os.path.dirname(os.path.dirname(os.path.realpath(path)))
    return identity(folder) == identity(request.signals)


def log_is_output(request: Request) -> bool:
    """Tell whether the log is to go where another output goes."""
    log = identity(request.log_file or "")
    return log in {identity(path) for path in request.outputs.values()}


def check_flags(request: Request) -> None:
    """Refuse flags that do not go together; raises `UsageError`."""
    if request.if_changed and not request.record:
        raise UsageError("--if-changed looks into the record; name it with --record")
    # A time that cannot be read is refused here too.
    if _span(request) and request.state:
        raise UsageError("--state continues to the end; it has no --since and --until")
    if request.summary:
        from rollsignal.outputs.summary import summary_suffix

        summary_suffix(request.summary)
    if request.partition_by not in (None, "symbol", "date"):
        raise UsageError(f"--partition-by is {request.partition_by!r}, neither symbol nor date")
    if request.partition_by and not request.signals:
        raise UsageError("--partition-by parts the signals; name their folder with --signals")
    if request.signals:
        from rollsignal.outputs.signals import forms

        forms.signals_suffix(request.signals, request.partition_by)


def _span(request: Request) -> "Span | None":
    """Read the range of time, if one is asked for; raises `UsageError`."""
    if request.since is None and request.until is None:
        return None
    from rollsignal.engines.spans import span_between

    return span_between(request.since, request.until)
