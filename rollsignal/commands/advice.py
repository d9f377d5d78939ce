"""This module adds to a refusal that `init` could write a config with which the table is read.

It is for tables that are refused at their first rows for how they are written. It takes a second at
most, and changes nothing but the end of the message.
"""

import shlex
from collections.abc import Sequence

from rollsignal.commands.settings_search import Search
from rollsignal.config.settings import JobConfig
from rollsignal.engines.first_rows import LOOKED_SETTINGS, look_with
from rollsignal.errors import DataError, JobError
from rollsignal.files.find import Input
from rollsignal.messages import is_url

MOST_SECONDS = 1.0
# What is refused later than this is not refused for its first rows, or they take long to read.
LATEST_REFUSAL_MS = 500
ADVISED_ROWS = 200
MOST_ADVISED_FILES = 10
# A document is read as a whole, or in large parts.
MOST_BYTES = 16 << 20
# The settings of how a table is written.
_OF_FORM = ("columns.", "table.", "timestamp_format", "timezone")
# What init would only ask about, or what says nothing of how a table is written.
_OF_BARS = frozenset({"missing"})


def with_advice(
    error: DataError,
    files: Sequence[Input],
    given: Sequence[str],
    config: JobConfig,
    took_ms: int,
) -> DataError:
    """Return the error, with the command of `init` at its end if that would write a config.

    given: the inputs as the user named them. took_ms: how long it took to refuse them.
    """
    if took_ms > LATEST_REFUSAL_MS:
        return error
    if error.check or {name for choice in error.choices for name in choice} & _OF_BARS:
        return error
    if not _are_looked_at_fast(files) or any(map(is_url, given)):
        return error
    if _is_refused(error, files, config) and _is_found(files, config):
        command = f"rollsignal init --input {shlex.join(given)} --config NEW.yaml"
        advice = f"{command} writes a config for this table"
        error.detail = f"{error.detail}; {advice}" if error.detail else advice
    return error


def _is_found(files: Sequence[Input], config: JobConfig) -> bool:
    """Return whether settings are found, with all that a config says of the form of a table."""
    usual = JobConfig(**LOOKED_SETTINGS).plain_by_name()  # type: ignore[arg-type]
    said = {
        name: value
        for name, value in config.plain_by_name().items()
        if value != usual[name] and name.startswith(_OF_FORM)
    }
    solutions = Search(files, ADVISED_ROWS, MOST_SECONDS).solutions()
    return any(said.items() <= {**each.settings}.items() for each in solutions)


def _are_looked_at_fast(files: Sequence[Input]) -> bool:
    sizes = [file.size for file in files if file.size is not None]
    is_small = sum(sizes) <= MOST_BYTES or all(
        file.path.endswith((".csv", ".tsv")) for file in files
    )
    return len(sizes) == len(files) <= MOST_ADVISED_FILES and is_small


def _is_refused(error: DataError, files: Sequence[Input], config: JobConfig) -> bool:
    """Return whether a config refuses the first rows, with the same error."""
    try:
        look_with(files, config, ADVISED_ROWS)
    except JobError as refusal:
        return refusal.message == error.message
    return False
