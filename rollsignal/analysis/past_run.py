"""This module finds out what is left of a run that is over: its signals, its record, or both.

A record is read with an open mind: what it does not say, or says in another way, is not known.
"""

import os
from typing import Any, NamedTuple

from rollsignal.errors import InputError
from rollsignal.files.open import open_regular
from rollsignal.outputs.record.document import parsed_record

_FLAG = "--signals"


class PastRun(NamedTuple):
    """A run as far as it is known; `signals` is the path of its signals, None if there are none.

    `settings` and `versions` are by name, `inputs` the SHA-256 of each input by its path.
    """

    path: str
    signals: str | None
    settings: dict[str, Any] | None = None
    versions: dict[str, Any] | None = None
    inputs: dict[str, Any] | None = None
    digest: str | None = None

    @property
    def window(self) -> int | None:
        """Tell the window, if a record has it."""
        window = (self.settings or {}).get("window")
        return window if isinstance(window, int) else None


def past_run(path: str) -> PastRun:
    """Look at a table of signals, a folder of them, or a record.

    Raises `InputError` where there is nothing, `DataError` for a record that is no JSON.
    """
    if os.path.isdir(path):
        return PastRun(path, path)
    with open_regular(path, "Signals or record", InputError) as file:
        if not file.read(64).lstrip().startswith(b"{"):
            return PastRun(path, path)
        file.seek(0)
        return _of_record(path, parsed_record(file.read(), path))


def _of_record(path: str, record: dict[str, Any]) -> PastRun:
    inputs = [_mapping(item) for item in _items(record.get("inputs"))]
    files = [_mapping(item.get("file", item)) for item in inputs]
    digest = record.get("digest")
    return PastRun(
        path,
        _signals(path, record),
        {name: _value(item) for name, item in _mapping(record.get("config")).items()} or None,
        _versions(record) or None,
        {str(file["path"]): file.get("sha256") for file in files if "path" in file} or None,
        digest if isinstance(digest, str) else None,
    )


def _signals(path: str, record: dict[str, Any]) -> str | None:
    """Find the path of the signals: as it was given, or beside the record."""
    places = [_mapping(record.get("asked")).get("outputs"), record.get("outputs")]
    named = [_mapping(place).get(_FLAG) or _mapping(place).get("signals") for place in places]
    for found in named:
        given = _mapping(found).get("path", found)
        if isinstance(given, str):
            beside = os.path.join(os.path.dirname(path), os.path.basename(given))
            return next((place for place in (given, beside) if os.path.exists(place)), None)
    return None


def _versions(record: dict[str, Any]) -> dict[str, Any]:
    program = _mapping(record.get("program"))
    libraries = _mapping(program.get("libraries"))
    plain = {name: item for name, item in program.items() if isinstance(item, str)}
    return {**plain, **libraries}


def _value(setting: Any) -> Any:
    """Take a setting's value, which may stand with its line."""
    return setting["value"] if isinstance(setting, dict) and "value" in setting else setting


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _items(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
