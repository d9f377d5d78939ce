"""This module tells whether a run would only repeat the one whose record is kept."""

import json
from collections.abc import Iterable
from datetime import datetime

from rollsignal.commands.plan import requested_paths
from rollsignal.config.reading import load_config
from rollsignal.config.request import Request
from rollsignal.errors import JobError
from rollsignal.files.fingerprints import Fingerprint, again, stat_of
from rollsignal.outputs.metrics import Metrics
from rollsignal.outputs.record.document import File, Record, load_record
from rollsignal.outputs.record.recorder import asked_of, output_files
from rollsignal.version import __version__

# Nobody but the run itself wrote its outputs while it wrote them, as they were locked.
ALWAYS_NS = 2**63


def former_metrics(request: Request) -> Metrics | None:
    """Return the metrics of the recorded run if nothing it depends on has changed, else None.

    That is: the program, what is asked for, the settings, the bytes of the inputs and of the
    outputs. Bytes are hashed only where sizes and times cannot tell.
    """
    assert request.record is not None
    try:
        record = load_record(request.record)
        if not _is_the_same(record, request):
            return None
        with open(request.output, encoding="utf-8") as file:
            metrics: Metrics = json.load(file)
    except (JobError, OSError, ValueError):
        # What is wrong shows when the job is run.
        return None
    return metrics


def _is_the_same(record: Record, request: Request) -> bool:
    paths = sorted(requested_paths(request))
    now = (__version__, asked_of(request), paths, output_files(request))
    inputs = [one.file for one in record.inputs]
    if record.asked.continues:
        # A state also knows files that need not be named any more.
        inputs = [file for file in inputs if file.path in paths]
    before = (
        record.program.rollsignal,
        record.asked,
        sorted(file.path for file in inputs),
        [file.path for file in record.outputs],
    )
    if record.status != "success" or before != now:
        return False
    if record.job_config() != load_config(request.config):
        return False
    started = datetime.fromisoformat(record.process.started).timestamp()
    return _are(record.outputs, ALWAYS_NS) and _are(inputs, int(started * 10**9))


def _are(files: Iterable[File], taken_ns: int) -> bool:
    """Tell whether all files have the bytes that they had; what is no file has none."""
    return all(_is(file, taken_ns) for file in files)


def _is(file: File, taken_ns: int) -> bool:
    path, size, mtime_ns, ctime_ns, inode, sha256 = file
    if sha256 is None:
        # Of what is no file, not even the size is known.
        return size is not None and stat_of(path) == (size, mtime_ns, ctime_ns, inode)
    # Times that are not known are those of no file.
    before = Fingerprint(size or 0, mtime_ns or 0, ctime_ns or 0, inode or 0, sha256)
    now, _ = again(path, before, taken_ns)
    return now is not None and now.sha256 == sha256
