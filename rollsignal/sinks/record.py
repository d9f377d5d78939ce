"""This module builds the record of a run, and reads it again: what was asked, read and found."""

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from rollsignal.config import JobConfig, config_of
from rollsignal.engines.doubts import Doubt
from rollsignal.errors import DataError, DiskError, InputError, shown_path
from rollsignal.files import open_regular
from rollsignal.kernel import Tally

SCHEMA = "urn:rollsignal:schema:record:1"
LIBRARIES = ("numpy", "polars", "yaml")

Status = Literal["running", "success", "error"]


class Program(NamedTuple):
    """What ran: versions of rollsignal, Python and the libraries that were loaded."""

    rollsignal: str
    python: str
    libraries: dict[str, str]
    engine: str = "local"


class Process(NamedTuple):
    """Where and when it ran; times are ISO 8601 in UTC."""

    id: int
    host: str
    started: str
    ended: str | None = None


class Asked(NamedTuple):
    """What it was asked to read and write; `outputs` are paths by flag, the range is as given."""

    inputs: list[str]
    format: str | None
    config: str
    outputs: dict[str, str]
    partition_by: str | None = None
    since: str | None = None
    until: str | None = None

    @property
    def continues(self) -> bool:
        """Tell whether it continued a state."""
        return "--state" in self.outputs


class Failure(NamedTuple):
    """Why it failed."""

    exit_code: int
    message: str


class Setting(NamedTuple):
    """A setting's value, and the line of the config it is from; None for the default."""

    value: object
    line: int | None = None


class File(NamedTuple):
    """A file that was read or written; all but the path is None where it is no regular file."""

    path: str
    size: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    sha256: str | None = None


class Input(NamedTuple):
    """An input: the file before it was read, its hash afterwards, and what was found in it.

    `compared_by` says how `sha256_after` is known: "stat", because the file's size and times are
    what they were, "sha256", or "state", because a run before read the file and this one did not.
    """

    file: File
    sha256_after: str | None = None
    compared_by: str | None = None
    rows: int | None = None
    form: str | None = None


class Check(NamedTuple):
    """At which level a check was, how often it found something, and where first."""

    level: str
    found: int
    first: list[Doubt]


class Record(NamedTuple):
    """All that is known of a run; what it has not come to is None or empty."""

    status: Status
    program: Program
    process: Process
    asked: Asked
    error: Failure | None = None
    config: dict[str, Setting] | None = None
    inputs: list[Input] = []  # noqa: RUF012
    tally: Tally | None = None
    series: int | None = None
    digest: str | None = None
    checks: dict[str, Check] = {}  # noqa: RUF012
    warnings: list[str] = []  # noqa: RUF012
    stages_ms: dict[str, int] = {}  # noqa: RUF012
    outputs: list[File] = []  # noqa: RUF012

    def job_config(self) -> JobConfig:
        """Rebuild the config; raises `ConfigError`, or `DataError` where the run read none."""
        if self.config is None:
            raise DataError("The run ended before it read its config")
        return config_of({name: setting.value for name, setting in self.config.items()})


def settings_of(config: JobConfig, lines: Mapping[str, int]) -> dict[str, Setting]:
    """List all settings, with the lines that they are from."""
    named = config.plain_by_name()
    return {name: Setting(value, lines.get(name)) for name, value in named.items()}


def to_json(record: Record) -> str:
    """Write a record; file names that are no Unicode are kept, as lone surrogates."""
    document = {"schema": SCHEMA, **_plain(record)}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def load_record(path: str) -> Record:
    """Read a record; raises `InputError` where there is none, `DataError` for anything else.

    Raises `DiskError` if reading fails.
    """
    with open_regular(path, "Run record", InputError) as file:
        try:
            data = file.read()
        except OSError as problem:
            where = f"path: {shown_path(path)}"
            raise DiskError(f"Run record cannot be read: {problem.strerror}", where) from problem
    try:
        return _decoded(json.loads(data))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as problem:
        raise DataError(
            f"{shown_path(path)} is no record that rollsignal reads: {problem!r}"
        ) from problem


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return list(map(_plain, value)) if isinstance(value, list) else value


def _decoded(found: dict[str, Any]) -> Record:
    if found.pop("schema", None) != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    config, error, tally = found.pop("config"), found.pop("error"), found.pop("tally")
    parts: dict[str, Any] = {
        "program": Program(**found.pop("program")),
        "process": Process(**found.pop("process")),
        "asked": Asked(**found.pop("asked")),
        "error": error and Failure(**error),
        "config": config and {name: Setting(**setting) for name, setting in config.items()},
        "inputs": [Input(File(**one.pop("file")), **one) for one in found.pop("inputs")],
        "tally": tally and Tally(**tally),
        "checks": {name: _check(**check) for name, check in found.pop("checks").items()},
        "outputs": [File(**one) for one in found.pop("outputs")],
    }
    return Record(**parts, **found)


def _check(level: str, found: int, first: list[dict[str, Any]]) -> Check:
    return Check(level, found, [Doubt(**doubt) for doubt in first])
