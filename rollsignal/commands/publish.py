"""This module is the story of `publish`: it tells others of a recorded run."""

import os
from collections.abc import Mapping, Sequence

from rollsignal.errors import BusyError, DataError, DiskError, InputError, JobError
from rollsignal.files.locks import is_held
from rollsignal.files.open import STDIN, open_input
from rollsignal.messages import is_url, shown_path
from rollsignal.outputs.record.document import Record, load_record, parsed_record
from rollsignal.publish import PUBLISHERS
from rollsignal.publish.interface import Target
from rollsignal.publish.sender import Clock, Sending, send_all
from rollsignal.publish.targets import addressed, target_of

Failures = list[tuple[str, str]]


def publish(path: str, targets: Sequence[str], deadline: float, clock: Clock) -> None:
    """Tell of the run of a record; `-` reads the record from standard input.

    deadline: in seconds of the clock. Raises `UsageError` for what is no target, `InputError` and
    `DataError` for what is no record of a run that ended, `BusyError` while the run is going on,
    `DiskError` if a target was not told.
    """
    wanted = [target_of(text) for text in targets]
    record = _ended_record(path)
    sendings, failures = _sendings(record, wanted, os.environ)
    failures += send_all(sendings, deadline, clock)
    if failures:
        raise DiskError(not_published(failures))


def not_published(failures: Failures) -> str:
    """Describe which targets were not told, and why.

    >>> not_published([("heartbeat", "it answered 500")])
    'not published: heartbeat (it answered 500)'
    """
    return "not published: " + ", ".join(f"{kind} ({reason})" for kind, reason in failures)


def _ended_record(path: str) -> Record:
    """Read a record; what comes from standard input may be that of a run that has begun."""
    if path == STDIN:
        with open_input(STDIN) as file:
            try:
                return parsed_record(file.read(), "standard input")
            except OSError as problem:
                raise InputError(f"Standard input cannot be read: {problem.strerror}") from problem
    record = load_record(path)
    if record.status == "running":
        process = f"process {record.process.id} on {record.process.host}"
        if is_url(path):
            hint = "try again later; if it was killed, run again"
            raise BusyError(
                f"the run of {shown_path(path)} ({process}) is going on, or did not end", hint
            )
        if is_held(path):
            raise BusyError(f"the run of {shown_path(path)} ({process}) has not ended yet")
        raise DataError(
            f"the run of {shown_path(path)} ({process}) did not end, so nothing was published",
            "it was killed; run again",
        )
    return record


def _sendings(
    record: Record, targets: Sequence[Target], environment: Mapping[str, str]
) -> tuple[list[Sending], Failures]:
    """Return what to send, and the targets whose address is not known."""
    sendings: list[Sending] = []
    failures: Failures = []
    for target in targets:
        try:
            address = addressed(target, environment).address
            messages = PUBLISHERS[target.kind]()(record, address)
        except JobError as problem:
            failures.append((target.kind, problem.message))
        else:
            sendings += [Sending(target.kind, message) for message in messages]
    return sendings, failures
