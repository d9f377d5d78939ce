"""What is fuzzed: each target takes bytes, and fails where its law does not hold.

Whatever the bytes are, they are read or refused with a `JobError`; what was read is written and
read again as the same; and careful and fast readers agree.
"""

import atexit
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from rollsignal.config.reading import config_in, config_of
from rollsignal.config.settings import JobConfig
from rollsignal.core.timestamps.reader import TimestampReader, iso, to_ns
from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Task
from rollsignal.errors import BadCellError, JobError
from rollsignal.files.find import input_of
from rollsignal.messages import LogLevel
from rollsignal.outputs.record.document import parsed_record, record_json
from rollsignal.outputs.state.document import load_state, save_state

Target = Callable[[bytes], None]


def config(data: bytes) -> None:
    """Read a config; its values make the same config."""
    try:
        read = config_in(data.decode("utf-8", "surrogateescape"))
    except (JobError, UnicodeEncodeError):
        return
    recorded = json.loads(json.dumps(read.plain_by_name()))
    assert config_of(recorded).plain_by_name() == read.plain_by_name()


def table(data: bytes) -> None:
    """Read a text table: what is found is the same, read with care and read fast."""
    _engines_agree(data, "bars.csv")


def ndjson(data: bytes) -> None:
    """Read lines of JSON: what is found is the same, read with care and read fast."""
    _engines_agree(data, "bars.ndjson")


def timestamps(data: bytes) -> None:
    """Read a column of timestamps: alone each is what it is among the others, and in ISO form."""
    cells = data.decode("utf-8", "replace").split("\n")
    try:
        times = list(map(to_ns, TimestampReader().read(cells)))
    except (BadCellError, JobError):
        return
    assert len(times) == len(cells)
    written = [iso(time) for time in times]
    assert list(map(to_ns, TimestampReader().read(written))) == times, written


def state(data: bytes) -> None:
    """Read a state whose checksum is right; it is written and read again as the same."""
    path = _folder() / "s.state"
    seal = f'{{"sha256":"{hashlib.sha256(data).hexdigest()}"}}\n'
    path.write_bytes(data + seal.encode())
    try:
        read = load_state(str(path))
    except JobError:
        return
    assert read is not None
    save_state(str(path), read)
    assert load_state(str(path)) == read


def record(data: bytes) -> None:
    """Read a record; it is written and read again as the same."""
    try:
        read = parsed_record(data, "record.json")
    except JobError:
        return
    assert parsed_record(record_json(read).encode(), "record.json") == read


TARGETS: dict[str, Target] = {
    each.__name__: each for each in (config, table, ndjson, timestamps, state, record)
}


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="rollsignal-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _engines_agree(data: bytes, name: str) -> None:
    path = _folder() / name
    path.write_bytes(data)
    careful, fast = _found(path, "plain"), _found(path, "local")
    assert careful == fast, f"careful: {careful}; fast: {fast}"


def _found(path: Path, engine: str) -> object:
    """Return what an engine finds in a file, or the words of its refusal."""
    heard: list[tuple[LogLevel, str]] = []
    task = Task([input_of(str(path))], JobConfig(1, 2, "fuzz"), digest=True)
    try:
        found = ENGINES[engine]().decide(task, [], lambda *said: heard.append(said))
    except JobError as problem:
        return str(problem)
    accounts = sorted(found.accounts.items())
    return accounts, found.tally, found.digest, found.findings.counts, heard
