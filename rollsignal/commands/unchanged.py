"""This module finds out whether a run would only repeat the recorded one."""

import json
from collections.abc import Iterable
from datetime import datetime

from rollsignal.commands.plan import requested_inputs
from rollsignal.config.reading import load_config
from rollsignal.config.request import Request
from rollsignal.errors import InputError, JobError
from rollsignal.files.find import versions_of
from rollsignal.files.fingerprints import Fingerprint, again, stat_of
from rollsignal.files.open import open_output
from rollsignal.messages import without_secrets
from rollsignal.outputs.metrics import Metrics
from rollsignal.outputs.record.document import File, Record, load_record
from rollsignal.outputs.record.recorder import asked_of, output_files
from rollsignal.version import __version__

# The outputs were locked while they were written, so their times can be trusted.
ALWAYS_NS = 2**63


def former_metrics(request: Request) -> Metrics | None:
    """Return the metrics of the recorded run if nothing it depends on has changed, else None.

    It depends on the program, the flags, the settings, and the bytes of inputs and outputs. Files
    are hashed only where their sizes and times do not decide, objects where their ETags do not.
    """
    assert request.record is not None
    try:
        record = load_record(request.record)
        if not _is_the_same(record, request):
            return None
        with open_output(request.output, "Metrics", InputError) as file:
            metrics: Metrics = json.load(file)
    except (JobError, OSError, ValueError):
        # The run itself reports what is wrong.
        return None
    return metrics


def _is_the_same(record: Record, request: Request) -> bool:
    # A record holds URLs without their secrets.
    files = requested_inputs(request)
    paths = {without_secrets(file.path): file.path for file in files}
    now = (__version__, asked_of(request), sorted(paths), output_files(request))
    inputs = [entry.file for entry in record.inputs]
    if record.asked.continues:
        # A state also knows files of earlier runs, which need not be given again.
        inputs = [file for file in inputs if file.path in paths]
    before = (
        record.program.rollsignal,
        record.asked,
        sorted(file.path for file in inputs),
        [file.path for file in record.outputs],
    )
    if record.status != "success" or before != now:
        return False
    versions = versions_of(files)
    if any(versions.get(file.path, file.version) != file.version for file in inputs):
        return False
    if (
        record.job_config().deciding_by_name()
        != load_config(request.config, given=request.set).deciding_by_name()
    ):
        return False
    started = datetime.fromisoformat(record.process.started).timestamp()
    inputs = [file._replace(path=paths[file.path]) for file in inputs]
    return _are_unchanged(record.outputs, ALWAYS_NS) and _are_unchanged(
        inputs, int(started * 10**9)
    )


def _are_unchanged(files: Iterable[File], taken_ns: int) -> bool:
    """Return whether all files still have the bytes that are recorded."""
    return all(_is_unchanged(file, taken_ns) for file in files)


def _is_unchanged(file: File, taken_ns: int) -> bool:
    path, size, mtime_ns, ctime_ns, inode, sha256, etag, version = file
    if sha256 is None:
        # Without a hash, size and times must be equal; a pipe has not even a size.
        return size is not None and stat_of(path) == (size, mtime_ns, ctime_ns, inode)
    before = Fingerprint(size or 0, mtime_ns, ctime_ns, inode, sha256, etag, version)
    now, _ = again(path, before, taken_ns)
    return now is not None and now.sha256 == sha256
