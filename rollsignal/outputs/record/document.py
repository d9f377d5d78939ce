"""This module says what the record of a run holds, writes it, and reads it again.

The types are the one declaration: the published schema and the reader follow from them.
"""

import json
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, NamedTuple, cast

from rollsignal.config.reading import config_of
from rollsignal.config.sections import flat_schemas
from rollsignal.config.settings import OF_CONDUCT, Evaluate, JobConfig, Table
from rollsignal.core.findings import LocatedFinding
from rollsignal.core.kernel import Tally
from rollsignal.engines import ENGINES
from rollsignal.errors import DataError, DiskError, InputError
from rollsignal.files.open import open_output
from rollsignal.messages import shown, shown_path
from rollsignal.outputs.record.declared import Limits, Newer, object_schema, type_schema, typed
from rollsignal.outputs.record.seal import CHECKSUM, has_right_checksum, with_checksum
from rollsignal.outputs.record.validation import Schema, departures
from rollsignal.version import __version__

LIBRARIES = ("numpy", "polars", "yaml")

COMMAND_LINE = "command line"

RECORD = "urn:rollsignal:schema:record:2"
# Version 1 lacks what is `Newer`; it is read as one of today without it.
FORMER_RECORD = "urn:rollsignal:schema:record:1"

Status = Literal["running", "success", "error"]
_Name = Annotated[str, Limits(minLength=1)]
_Sha256 = Annotated[str, Limits(pattern="^[0-9a-f]{64}$")]
_Time = Annotated[str, Limits(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
_Line = Annotated[int, Limits(minimum=1)]
# What a file system says of a file may be below zero.
_Whole = Annotated[int, Limits(minimum=None)]


class Program(NamedTuple):
    """What ran: versions of rollsignal, Python and the libraries that were loaded."""

    rollsignal: _Name
    python: _Name
    libraries: dict[str, str]
    engine: Annotated[str, Limits(enum=list(ENGINES))] = "local"


class Process(NamedTuple):
    """Where and when it ran; times are ISO 8601 in UTC."""

    id: int
    host: str
    started: _Time
    ended: _Time | None = None


class Asked(NamedTuple):
    """What it was asked to read and write; `outputs` are paths by flag, times are as given."""

    inputs: list[str]
    format: str | None
    config: str
    outputs: dict[str, str]
    partition_by: Annotated[str, Limits(enum=["symbol", "date"])] | None = None
    since: str | None = None
    until: str | None = None
    set: Annotated[list[str], Newer()] = []  # noqa: RUF012  # never changed
    expect: Annotated[str | None, Newer()] = None

    @property
    def continues(self) -> bool:
        """Tell whether it continued a state."""
        return "--state" in self.outputs


class Failure(NamedTuple):
    """Why it failed."""

    exit_code: Annotated[int, Limits(minimum=1)]
    message: str


class Setting(NamedTuple):
    """A setting's value, and the line of the config it is from; None for the default.

    source: "command line" for a setting that is given there.
    """

    value: object
    line: _Line | None = None
    source: Annotated[str | None, Newer(), Limits(enum=[COMMAND_LINE, None])] = None


class File(NamedTuple):
    """A file that was read or written, or an object; all but the path is None for others.

    `sha256` alone is None where the bytes were not hashed. Of an object, `mtime_ns` is when it was
    last modified; it, `etag` and `version` are as the server says, None where it does not. Of a
    table, or a file of a Delta table, `version` is that of the table.
    """

    path: str
    size: int | None = None
    mtime_ns: _Whole | None = None
    ctime_ns: _Whole | None = None
    inode: _Whole | None = None
    sha256: _Sha256 | None = None
    etag: Annotated[str | None, Newer()] = None
    version: Annotated[str | None, Newer()] = None


class RecordedInput(NamedTuple):
    """An input: the file before it was read, its hash afterwards, and what was found in it.

    `compared_by` says how `sha256_after` is known: "stat", because the file's size and times are
    what they were, "etag", because the object's size and ETag are, "sha256", or "state", because a
    run before read the file and this one did not. `left` counts the bars that count although the
    file, which a state has read before, does not have them any more.
    """

    file: File
    sha256_after: _Sha256 | None = None
    compared_by: Annotated[str, Limits(enum=["stat", "etag", "sha256", "state"])] | None = None
    rows: int | None = None
    form: str | None = None
    left: Annotated[int, Newer()] = 0


class RecordedCheck(NamedTuple):
    """At which level a check was, how often it found something, and where first."""

    level: str
    found: int
    first: list[LocatedFinding]


_SETTING = type_schema(Setting)
_SETTINGS = {
    name: _SETTING | {"properties": _SETTING["properties"] | {"value": value}}
    for name, value in flat_schemas(JobConfig).items()
    if name not in OF_CONDUCT
}
# Settings that records of earlier versions do not have: their defaults held.
_NEWER_SETTINGS = frozenset(
    {"checks.values", "timezone", "order", "duplicates", "open_bars"}
    | {f"table.{key}" for key in Table._fields}
    | {f"evaluate.{key}" for key in Evaluate._fields}
)
_CONFIG_SCHEMA = object_schema(**_SETTINGS) | {
    "required": [name for name in _SETTINGS if name not in _NEWER_SETTINGS]
}


class Record(NamedTuple):
    """All that is known of a run; what it has not come to is None or empty.

    `newest_bar` is the latest time of all series, in ISO 8601; `lagging` is how many series end
    before it. Both are None without timestamps. `metrics` are those that the run left.
    `stages_at_ms` says when each stage began, after the process was started.
    `dropped` counts the rows of the inputs that the setting `duplicates` left out.
    """

    status: Status
    program: Program
    process: Process
    asked: Asked
    error: Failure | None = None
    config: Annotated[dict[str, Setting], Limits(**_CONFIG_SCHEMA)] | None = None
    inputs: list[RecordedInput] = []  # noqa: RUF012  # never changed
    tally: Tally | None = None
    dropped: Annotated[int | None, Newer(), Limits(minimum=0)] = None
    waiting: Annotated[int | None, Newer()] = None
    series: int | None = None
    digest: Annotated[str, Limits(pattern="^[0-9a-f]{32}$")] | None = None
    checks: dict[str, RecordedCheck] = {}  # noqa: RUF012  # never changed
    warnings: list[str] = []  # noqa: RUF012  # never changed
    stages_ms: dict[str, int] = {}  # noqa: RUF012  # never changed
    outputs: list[File] = []  # noqa: RUF012  # never changed
    newest_bar: Annotated[str | None, Newer()] = None
    lagging: Annotated[int | None, Newer()] = None
    metrics: Annotated[dict[str, object] | None, Newer()] = None
    stages_at_ms: Annotated[dict[str, int], Newer()] = {}  # noqa: RUF012  # never changed

    def job_config(self) -> JobConfig:
        """Rebuild the config; raises `ConfigError`, or `DataError` where the run read none."""
        if self.config is None:
            raise DataError("The run ended before it read its config")
        return config_of({name: setting.value for name, setting in self.config.items()})


def settings_of(
    config: JobConfig, lines: Mapping[str, int], given: Collection[str]
) -> dict[str, Setting]:
    """List all settings that may change a result, and where they are from."""
    return {
        name: Setting(value, lines.get(name), COMMAND_LINE if name in given else None)
        for name, value in config.plain_by_name().items()
    }


def record_schema() -> Schema:
    """Describe a record in JSON Schema: what its types declare, and what an ended run must have."""
    declared = type_schema(Record)
    checksum = {CHECKSUM: type_schema(_Sha256)}
    properties = {"schema": {"const": RECORD}, **declared["properties"], **checksum}
    ended = {
        "error": {"type": "null"},
        "config": {"type": "object"},
        "tally": {"type": "object"},
        "series": {"type": "integer"},
        "digest": {"type": "string"},
        "inputs": {"minItems": 1},
    }
    rules = (("success", ended), ("error", {"error": {"type": "object"}}))
    return {
        "$id": RECORD,
        "title": "The record of a rollsignal run",
        **object_schema(**properties),
        "required": ["schema", *declared["required"]],
        "allOf": [
            {"if": {"properties": {"status": {"const": status}}}, "then": {"properties": then}}
            for status, then in rules
        ],
    }


def record_json(record: Record) -> str:
    """Write a record, sealed; file names that are no Unicode are kept, as lone surrogates."""
    document = {"schema": RECORD, **_as_json(record)}
    return with_checksum(json.dumps(document, indent=2, allow_nan=False) + "\n")


def load_record(path: str) -> Record:
    """Read a record; raises `InputError` where there is none, `DataError` for anything else.

    Raises `DiskError` if reading fails.
    """
    with open_output(path, "Run record", InputError) as file:
        try:
            data = file.read()
        except OSError as problem:
            where = f"path: {shown_path(path)}"
            raise DiskError(f"Run record cannot be read: {problem.strerror}", where) from problem
    return parsed_record(data, path)


def parsed_record(data: bytes, path: str) -> Record:
    """Read a record from the bytes of a file; raises `DataError` for anything else."""
    try:
        document = _parsed(data, path)
        _check_version(document.get("schema"), path)
        _check_as_published(document | {"schema": RECORD}, path)
        # Records of earlier versions have no checksum.
        if document.pop(CHECKSUM, None) and not has_right_checksum(data):
            raise _damaged(path, "it was changed after it was written")
        return cast(Record, typed(Record, document))
    except RecursionError as problem:
        raise _no_record(path, "it is nested too deeply") from problem


def _parsed(data: bytes, path: str) -> dict[str, Any]:
    """Parse what may be a record; raises `DataError` for what is no JSON object."""
    try:
        document = json.loads(data)
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno:,}, character {problem.colno:,}"
        raise _no_record(path, f"not JSON at {where}" if data else "it is empty") from problem
    except UnicodeDecodeError as problem:
        raise _no_record(path, "it is no text") from problem
    except (ValueError, RecursionError) as problem:
        raise _no_record(path, "it is nested too deeply, or has too long a number") from problem
    if not isinstance(document, dict):
        raise _no_record(path, "it is no JSON object")
    return document


def _no_record(path: str, why: str) -> DataError:
    hint = "name the file that --record wrote"
    return DataError(f"{shown_path(path)} is no record of a run: {why}", hint)


def _check_version(found: object, path: str) -> None:
    """Refuse what is no record, or one of another version; raises `DataError`."""
    if found in (RECORD, FORMER_RECORD):
        return
    kind = RECORD.rpartition(":")[0] + ":"
    if not isinstance(found, str) or not found.startswith(kind):
        raise _no_record(path, f'it has no "schema" {RECORD}')
    version = shown(found.removeprefix(kind))
    raise DataError(
        f"{shown_path(path)} is a record of version {version}, which rollsignal {__version__}"
        " does not read",
        "use the rollsignal that wrote it",
    )


def _check_as_published(document: dict[str, Any], path: str) -> None:
    """Refuse a record that is not as published; raises `DataError`."""
    problem = next(departures(document, record_schema()), None)
    if problem:
        raise _damaged(path, problem)


def _damaged(path: str, problem: str) -> DataError:
    hint = "put a copy in its place, or run again with --record"
    return DataError(f"{shown_path(path)} is damaged: {problem}", hint)


def _as_json(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items()}
    return list(map(_as_json, value)) if isinstance(value, list) else value
