"""This module reads and writes state files: what is known of every series between two runs.

A state file is UTF-8 text with one JSON object per line: a head with the schema, the settings and
the files that were read; the account of every series, sorted by symbol; and the SHA-256 of all
lines above. Equal states are equal bytes. A whole number beyond 64 bits is an object with its
hexadecimal digits. A lone surrogate in a text is encoded as the three bytes of its number. A file
that is not exactly as it was written is refused: no part of it can be trusted without the rest.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rollsignal.core.digest import hex_text
from rollsignal.core.kernel import Account, Carry, LastBar, Tally
from rollsignal.core.ticks import at_least_scale
from rollsignal.core.waiting import WaitingBar
from rollsignal.errors import DataError, DiskError, InputError
from rollsignal.files.fingerprints import Fingerprint, Stamp
from rollsignal.files.open import open_regular
from rollsignal.files.replace import replace
from rollsignal.files.staged import FileContent, Promise
from rollsignal.messages import is_url, shown_path, without_secrets
from rollsignal.outputs.signals.counts import PartitionCount, WrittenPartitions
from rollsignal.version import __version__

SCHEMA = 1

_MARK = re.compile(rb'\{"rollsignal_state":([0-9]{1,9}),')
_MARK_BYTES = 64
_WORD_MAX = 2**63
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class ReadFile(NamedTuple):
    """A file that was read: its path as given, its size in bytes, and its number of bars.

    `left` counts the bars that it had once, and which count although they have left it.
    `stamp` holds the size and times that change whenever the file is written to, or the size and
    ETag of an object. A URL is kept without the parts that may be secret.
    """

    path: str
    size: int
    sha256: str
    rows: int
    stamp: Stamp = ()
    left: int = 0


class Segment(NamedTuple):
    """What one run added to the file of all bars: its size in bytes, and its SHA-256.

    In a store it is an object of its own, with a name.
    """

    size: int
    sha256: str
    name: str = ""


class State(NamedTuple):
    """What a run passes to the next: settings by dotted name, accounts, and files that were read.

    `settings` are `kept_settings`. `symbols` are in the order in which the file of all bars numbers
    the series, `segments` what each run added to that file. `generation` counts how often all bars
    were decided again. `program` is the rollsignal version that wrote the state, `written` the
    partitions that hold its signals. `sought_symbols` is false for a state of a version that did
    not look for symbols. `waiting` are bars that were read and not decided. `pending` are finished
    signals that are put in their places once the state is saved; its folder is seen from that of
    the state. `signals` is what each file of the signals holds, by its path beside the others.
    """

    settings: dict[str, object]
    accounts: dict[str, Account]
    digest: int = 0
    inputs: tuple[ReadFile, ...] = ()
    symbols: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    generation: int = 0
    program: str = __version__
    written: WrittenPartitions | None = None
    sought_symbols: bool = True
    waiting: tuple[WaitingBar, ...] = ()
    pending: Promise | None = None
    signals: Mapping[str, FileContent] = {}


def kept_account(account: Account) -> Account:
    """Return an account as a state keeps it: no scale depends on how the bars were read."""
    carry, last = account.carry, account.last
    tail, scale = at_least_scale(carry.tail, carry.scale)
    if last:
        ticks = [each for each in (last.close, last.margin) if each is not None]
        least = at_least_scale(ticks, last.scale)[1]
        unit = 10 ** (last.scale - least)
        close, margin = (
            None if each is None else each // unit for each in (last.close, last.margin)
        )
        last = LastBar(close, margin, least, last.window)
    return account._replace(carry=Carry(carry.window, scale, tuple(tail)), last=last)


def kept_waiting(bar: WaitingBar) -> WaitingBar:
    """Return a bar that waits as a state keeps it: at its least scale, without what is secret."""
    (close, *_), scale = at_least_scale([bar.close or 0], bar.scale)
    return bar._replace(
        close=None if bar.close is None else close,
        scale=0 if bar.close is None else scale,
        file=without_secrets(bar.file),
    )


def save_state(path: str, state: State, known: Fingerprint | None = None) -> Fingerprint | None:
    """Replace the state file with a new state; raises `OutputError` or `DiskError`.

    In a store it only replaces the version that is known, None for no state; return what is there
    then. Raises `BusyError` if there is another one.
    """
    if not is_url(path):
        return replace(path, _encoded(state))
    from rollsignal.files.uploads import put_over

    return put_over(path, _encoded(state), known)


def load_state(path: str) -> State | None:
    """Read a state; returns None if there is no file.

    Raises `DataError` for a file that is not a complete state of this schema, `InputError` for one
    that cannot be opened, `DiskError` if reading fails.
    """
    return load_version(path)[0]


def load_version(path: str) -> tuple[State | None, Fingerprint | None]:
    """Read a state as `load_state` does; also return which version of an object it is."""
    data, version = _read_bytes(path)
    return _loaded(path, data, whole=True), version


def load_head(path: str) -> State | None:
    """Read a state without its accounts, as `load_state` does."""
    return _loaded(path, _read_bytes(path)[0], whole=False)


def _loaded(path: str, data: bytes | None, *, whole: bool) -> State | None:
    if data is None:
        return None
    body = _checked_body(data, shown_path(path))
    try:
        return _decoded(body if whole else body.partition(b"\n")[0])
    except (ValueError, TypeError, LookupError, AttributeError) as problem:
        raise DataError(
            f"{shown_path(path)} has a valid checksum, but is not a state file: {problem!r}"
        ) from problem


def _checked_body(data: bytes, name: str) -> bytes:
    """Return the lines above the checksum; raises `DataError`."""
    mark = _MARK.match(data)
    if not mark:
        raise DataError(f"{name} is not a rollsignal state file", "name another file for the state")
    if int(mark[1]) != SCHEMA:
        raise DataError(
            f"{name} is a state file of schema {int(mark[1])};"
            f" rollsignal {__version__} reads schema {SCHEMA}",
            "use the rollsignal version that wrote it, or start again with another state file",
        )
    body = data[: -len(_seal(b""))]
    if data != body + _seal(body):
        raise DataError(
            f"{name} is damaged: it is cut off, or was changed after it was written",
            "put a copy in its place, with the .bars file that belongs to it, or remove it and read"
            " all bars again",
        )
    return body


def _read_bytes(path: str) -> tuple[bytes | None, Fingerprint | None]:
    """Read a file or an object, None if there is none; also return what an object is.

    Read only the beginning if it is not a state file.
    """
    if is_url(path):
        from rollsignal.files.uploads import fetched

        return fetched(path, InputError) or (None, None)
    try:
        os.stat(path)
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError):
        # There is something, so the run must not start without it; opening it finds the reason.
        pass
    with open_regular(path, "State file", InputError) as file:
        try:
            start = file.read(_MARK_BYTES)
            return (start + file.read() if _MARK.match(start) else start), None
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
        "inputs": [_without_default(file, "left") for file in state.inputs],
        "segments": [_without_default(segment, "name") for segment in state.segments],
        "generation": state.generation,
        "written": _written_plain(state.written),
        "sought_symbols": state.sought_symbols,
        **({"waiting": list(map(_json_value, state.waiting))} if state.waiting else {}),
        **({"pending": _json_value(state.pending)} if state.pending else {}),
        **({"signals": dict(sorted(state.signals.items()))} if state.signals else {}),
    }
    lines = [head, *(_account_line(*item) for item in sorted(state.accounts.items()))]
    text = "".join(_ENCODER.encode(line) + "\n" for line in lines)
    body = text.encode("utf-8", "surrogatepass")
    return body + _seal(body)


def _without_default(value: ReadFile | Segment, newer: str) -> dict[str, object]:
    """Turn a named tuple into an object, without a newer field that says nothing."""
    plain: dict[str, object] = _json_value(value)
    if not plain[newer]:
        del plain[newer]
    return plain


def _account_line(symbol: str, account: Account) -> dict[str, object]:
    return {"symbol": symbol, **_json_value(account)}


def _json_value(value: Any) -> Any:
    """Turn named tuples into objects, sequences into lists, and large numbers into hexadecimal."""
    if isinstance(value, int):
        return value if -_WORD_MAX <= value < _WORD_MAX else {"hex": hex(value)}
    if hasattr(value, "_asdict"):
        return {name: _json_value(item) for name, item in value._asdict().items()}
    is_listed = isinstance(value, Sequence) and not isinstance(value, str)
    return list(map(_json_value, value)) if is_listed else value


def _decoded(body: bytes) -> State:
    head, *lines = [
        json.loads(line, object_hook=_number)
        for line in body.decode("utf-8", "surrogatepass").removesuffix("\n").split("\n")
    ]
    inputs = (file | {"stamp": tuple(file["stamp"])} for file in head["inputs"])
    return State(
        head["settings"],
        dict(map(_account_of, lines)),
        int(head["digest"], 16),
        tuple(ReadFile(**file) for file in inputs),
        tuple(head["symbols"]),
        tuple(Segment(**segment) for segment in head["segments"]),
        head["generation"],
        head["program"],
        _written_of(head["written"]),
        head.get("sought_symbols", False),
        tuple(WaitingBar(**bar) for bar in head.get("waiting", ())),
        _promise_of(head.get("pending")),
        {file: FileContent(*content) for file, content in head.get("signals", {}).items()},
    )


def _promise_of(item: dict[str, Any] | None) -> Promise | None:
    return Promise(item["into"], item["token"], tuple(item["files"])) if item else None


def _written_plain(written: WrittenPartitions | None) -> dict[str, object] | None:
    if written is None:
        return None
    parts = {name: [part.rows, hex_text(part.digest)] for name, part in written.parts.items()}
    return {"key": written.key, "form": written.suffix, "parts": dict(sorted(parts.items()))}


def _written_of(item: dict[str, Any] | None) -> WrittenPartitions | None:
    if item is None:
        return None
    parts = {
        name: PartitionCount(rows, int(digest, 16))
        for name, (rows, digest) in item["parts"].items()
    }
    return WrittenPartitions(item["key"], item["form"], parts)


def _number(item: dict[str, Any]) -> Any:
    return int(item["hex"], 16) if item.keys() == {"hex"} else item


def _account_of(item: dict[str, Any]) -> tuple[str, Account]:
    symbol = item.pop("symbol")
    carry, tally, last = item.pop("carry"), item.pop("tally"), item.pop("last")
    account = Account(
        Carry(carry["window"], carry["scale"], tuple(carry["tail"])),
        Tally(**tally),
        None if last is None else LastBar(**last),
        **item,
    )
    return symbol, account


def _seal(body: bytes) -> bytes:
    return _ENCODER.encode({"sha256": hashlib.sha256(body).hexdigest()}).encode() + b"\n"
