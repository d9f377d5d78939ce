"""What a folder holds after a run: outputs that can be compared, and what no run leaves."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from rollsignal.errors import JobError
from rollsignal.outputs.record.document import load_record
from rollsignal.outputs.state.document import load_state

Outputs = dict[str, object]

_TEMPORARY = re.compile(r"\.(\d+)\.[0-9a-f]{16}\.tmp")
_BARS = re.compile(r"^(.*\.state)\.\d+(\.bars)$")
# What is different in every run, or counts how often a run was tried.
_OF_A_STATE = ("generation", "pending", "program")
_OF_A_RECORD = ("status", "error", "inputs", "tally", "series", "digest", "newest_bar", "lagging")


def outputs(folder: Path) -> Outputs:
    """Read all that a run left, apart from its log, so that equal runs have equal outputs."""
    contents: Outputs = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        is_hidden = any(part.startswith(".") for part in Path(name).parts)
        if path.is_file() and not is_hidden and name != "run.log":
            contents[_BARS.sub(r"\1\2", name)] = _content(path, folder)
    return contents


def _content(path: Path, folder: Path) -> object:
    readers = {"metrics.json": _metrics, "record.json": _record, "s.state": _state}
    reader = readers.get(path.name)
    if reader is None:
        return path.read_bytes()
    try:
        return reader(path).replace(str(folder), "FOLDER")
    except (JobError, ValueError) as problem:
        return f"damaged: {problem}"


def _metrics(path: Path) -> str:
    metrics: dict[str, Any] = json.loads(path.read_text(), parse_constant=_refuse)
    return json.dumps({**metrics, "latency_ms": 0})


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _record(path: Path) -> str:
    record = load_record(str(path))._asdict()
    inputs = [(read.file.path, read.file.sha256, read.rows) for read in record["inputs"]]
    return repr({name: record[name] for name in _OF_A_RECORD} | {"inputs": inputs})


def _state(path: Path) -> str:
    state = load_state(str(path))
    assert state, "a state that is listed is there"
    inputs = [file._replace(stamp=()) for file in state.inputs]
    kept = {**state._asdict(), "inputs": inputs, "accounts": sorted(state.accounts.items())}
    return repr({name: value for name, value in kept.items() if name not in _OF_A_STATE})


def status(folder: Path) -> str | None:
    """Return what the metrics say, None without metrics."""
    path = folder / "metrics.json"
    return status_of(path.read_text()) if path.exists() else None


def status_of(text: str) -> str:
    """Return the status in metrics, "damaged" for what is not strict JSON."""
    try:
        return str(json.loads(text, parse_constant=_refuse)["status"])
    except (ValueError, LookupError, TypeError):
        return "damaged"


def litter(folder: Path, *, locks: bool = True) -> list[str]:
    """List hidden files and empty folders, which no finished run leaves.

    locks: whether lock files count, which a killed run leaves and which block nobody.
    """
    hidden = [path for path in folder.rglob(".*") if locks or path.suffix != ".lock"]
    empty = [path for path in folder.rglob("*") if path.is_dir() and not any(path.iterdir())]
    names = {str(path.relative_to(folder)) for path in [*hidden, *empty]}
    return sorted(name for name in names if not _may_be_of_another(name))


def _may_be_of_another(name: str) -> bool:
    """Return whether a temporary name is that of a process that is there now, by its number."""
    process = _TEMPORARY.search(name)
    return process is not None and Path("/proc", process[1]).exists()


def wrong_in_record(folder: Path) -> list[str]:
    """List the outputs that are not what a record of a success says."""
    path = folder / "record.json"
    if not path.exists():
        return []
    try:
        record = load_record(str(path))
    except JobError as problem:
        return [f"record.json: {problem}"]
    files = record.outputs if record.status == "success" else []
    return [
        f"{file.path} is not what the record says"
        for file in files
        if file.sha256 and not _is_there(Path(file.path), file.sha256)
    ]


def _is_there(path: Path, digest: str) -> bool:
    return path.exists() and sha256(path.read_bytes()).hexdigest() == digest
