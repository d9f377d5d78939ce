"""This module keeps between runs what is known of every series, in one file, exactly or not at all.

A state file is UTF-8 text, one JSON object a line: the head, with the schema, the settings and the
files that were read; every series, sorted by symbol; and the SHA-256 of all lines above. Equal
states are equal bytes. A whole number beyond 64 bits is an object that holds its hexadecimal
digits, and a lone surrogate in a text has the three bytes that its number would have. A file that
is not exactly what was written is refused: no part of it could be trusted without the rest.
"""

import hashlib
import json
import os
import re
from typing import Any, NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.digest import hex_text
from rollsignal.core.kernel import Account, Carry, LastBar, Tally
from rollsignal.errors import ConfigError, DataError, DiskError, InputError
from rollsignal.files.open import open_regular
from rollsignal.files.replace import replace
from rollsignal.messages import shown_path
from rollsignal.outputs.signals.counts import PartitionCount, WrittenPartitions
from rollsignal.version import __version__

SCHEMA = 1
# They decide no number that is kept: a check refuses a bar, or lets it pass as it is.
MAY_CHANGE = frozenset(
    {"seed", "version", "warmup", "on_restatement", "checks.order", "checks.duplicates"}
)

_MARK = re.compile(rb'\{"rollsignal_state":([0-9]{1,9}),')
_MARK_BYTES = 64
_WORD_MAX = 2**63
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class ReadFile(NamedTuple):
    """A file that was read: its path as given, its bytes, and how many bars it has.

    `stamp` is what a file has no longer once it is written to.
    """

    path: str
    size: int
    sha256: str
    rows: int
    stamp: tuple[int, ...] = ()


class Segment(NamedTuple):
    """What one run added to the file of all bars: so many bytes, and their SHA-256."""

    size: int
    sha256: str


class State(NamedTuple):
    """What a run leaves to the next: its settings by dotted name, its series, what was read.

    `settings` are `kept_settings`, `symbols` those of the series in the order in which the file of
    all bars numbers them, `segments` what each run added to it, `generation` how often all was
    decided anew. `program` is the version of rollsignal that wrote it, `written` the partitions of
    signals that hold what it knows.
    """

    settings: dict[str, object]
    series: dict[str, Account]
    digest: int = 0
    inputs: tuple[ReadFile, ...] = ()
    symbols: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    generation: int = 0
    program: str = __version__
    written: WrittenPartitions | None = None


class Change(NamedTuple):
    """A setting that is not what it was when a state was written, as JSON values."""

    name: str
    before: object
    now: object


def kept_settings(config: JobConfig) -> dict[str, object]:
    """List the settings that all runs on one state must share, as JSON values."""
    named = config.plain_by_name()
    return {name: value for name, value in named.items() if name not in MAY_CHANGE}


def changed_settings(state: State, config: JobConfig) -> list[Change]:
    """List the settings that differ from those of a state.

    A setting that the state does not name is newer than the state: then its default was in force.
    """
    now = kept_settings(config)
    before = kept_settings(JobConfig(seed=0, window=0, version="")) | state.settings
    changes = [Change(name, before[name], now.get(name)) for name in sorted(before)]
    return [change for change in changes if change.before != change.now]


def check_settings(path: str, state: State, config: JobConfig) -> None:
    """Refuse a config that does not continue a state; raises `ConfigError`."""
    changes = changed_settings(state, config)
    if changes:
        told = [f"{name} is {json.dumps(now)}, was {json.dumps(was)}" for name, was, now in changes]
        raise ConfigError(
            f"Settings are not those of the state: {'; '.join(told)}",
            f"state: {shown_path(path)}; set them back, or start anew with another state file",
        )


def save_state(path: str, state: State) -> None:
    """Put a state in the place of the former one; raises `OutputError` or `DiskError`."""
    replace(path, _encoded(state))


def load_state(path: str) -> State | None:
    """Read a state; returns None where there is no file.

    Raises `DataError` for what is not the whole of a state of this schema, `InputError` for what
    cannot be opened, `DiskError` if reading fails.
    """
    data = _read(path)
    if data is None:
        return None
    name = shown_path(path)
    mark = _MARK.match(data)
    if not mark:
        raise DataError(f"{name} is no state of rollsignal", "name another file for the state")
    if int(mark[1]) != SCHEMA:
        raise DataError(
            f"{name} is a state of schema {int(mark[1])}, not {SCHEMA}, which rollsignal"
            f" {__version__} reads",
            "use the rollsignal that wrote it, or start anew with another state file",
        )
    body = data[: -len(_seal(b""))]
    if data != body + _seal(body):
        raise DataError(
            f"{name} is damaged: it is cut off, or was changed after it was written",
            "put a copy in its place, with the .bars file that belongs to it, or remove it and read"
            " all bars again",
        )
    try:
        return _decoded(body)
    except (ValueError, TypeError, LookupError, AttributeError) as problem:
        raise DataError(f"{name} has its checksum, but is no state: {problem!r}") from problem


def _read(path: str) -> bytes | None:
    """Read a file, if there is one; of what is no state only the beginning."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        # Whatever it is, a run must not start anew because of it; opening it tells the reason.
        pass
    with open_regular(path, "State file", InputError) as file:
        try:
            start = file.read(_MARK_BYTES)
            return start + file.read() if _MARK.match(start) else start
        except OSError as problem:
            raise DiskError(
                f"State file cannot be read: {problem.strerror}", f"path: {shown_path(path)}"
            ) from problem


def _encoded(state: State) -> bytes:
    head = {
        "rollsignal_state": SCHEMA,
        "program": state.program,
        "settings": dict(sorted(state.settings.items())),
        "digest": hex_text(state.digest),
        "symbols": state.symbols,
        "inputs": [_plain(file) for file in state.inputs],
        "segments": [_plain(segment) for segment in state.segments],
        "generation": state.generation,
        "written": _written_plain(state.written),
    }
    lines = [head, *(_line(symbol, state.series[symbol]) for symbol in sorted(state.series))]
    text = "".join(_ENCODER.encode(line) + "\n" for line in lines)
    body = text.encode("utf-8", "surrogatepass")
    return body + _seal(body)


def _line(symbol: str, series: Account) -> dict[str, object]:
    return {"symbol": symbol, **_plain(series)}


def _plain(value: Any) -> Any:
    """Turn named tuples into objects, and whole numbers into what JSON holds exactly."""
    if isinstance(value, int):
        return value if -_WORD_MAX <= value < _WORD_MAX else {"hex": hex(value)}
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    return list(map(_plain, value)) if isinstance(value, tuple) else value


def _decoded(body: bytes) -> State:
    head, *lines = [
        json.loads(line, object_hook=_number)
        for line in body.decode("utf-8", "surrogatepass").removesuffix("\n").split("\n")
    ]
    inputs = (file | {"stamp": tuple(file["stamp"])} for file in head["inputs"])
    return State(
        head["settings"],
        dict(map(_series, lines)),
        int(head["digest"], 16),
        tuple(ReadFile(**file) for file in inputs),
        tuple(head["symbols"]),
        tuple(Segment(**segment) for segment in head["segments"]),
        head["generation"],
        head["program"],
        _written_of(head["written"]),
    )


def _written_plain(written: WrittenPartitions | None) -> dict[str, object] | None:
    if written is None:
        return None
    parts = {name: [part.rows, hex_text(part.digest)] for name, part in written.parts.items()}
    return {"key": written.key, "form": written.form, "parts": dict(sorted(parts.items()))}


def _written_of(found: dict[str, Any] | None) -> WrittenPartitions | None:
    if found is None:
        return None
    parts = {
        name: PartitionCount(rows, int(digest, 16))
        for name, (rows, digest) in found["parts"].items()
    }
    return WrittenPartitions(found["key"], found["form"], parts)


def _number(found: dict[str, Any]) -> Any:
    return int(found["hex"], 16) if found.keys() == {"hex"} else found


def _series(found: dict[str, Any]) -> tuple[str, Account]:
    symbol = found.pop("symbol")
    carry, tally, last = found.pop("carry"), found.pop("tally"), found.pop("last")
    series = Account(
        Carry(carry["window"], carry["scale"], tuple(carry["tail"])),
        Tally(**tally),
        None if last is None else LastBar(**last),
        **found,
    )
    return symbol, series


def _seal(body: bytes) -> bytes:
    return _ENCODER.encode({"sha256": hashlib.sha256(body).hexdigest()}).encode() + b"\n"
