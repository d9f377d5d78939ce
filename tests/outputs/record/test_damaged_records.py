"""A record is checked when it is read: one that is damaged is refused, in its reader's words."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rollsignal.commands.verify import verify
from rollsignal.errors import DataError, JobError
from rollsignal.outputs.record.document import load_record
from rollsignal.outputs.record.schema import schema_of
from rollsignal.outputs.record.validation import departures
from tests.support.records import forged
from tests.support.shell import CONFIG, STAMPED, Recorded, command
from tests.support.sweeps import part_of, sweep

Place = tuple[Any, ...]
Check = Callable[[Any, Any, Any, Any], Iterable[Any]]

VALUES: tuple[object, ...] = (None, -1, True, "", [{}], {"a": None})
TEXTS = ("x", "-", "a\0b", "a\0b/*", "\ud800", "\ud800/*", "2024-01-01T99:00:00.000Z", "f" * 32)
# A setting of each kind: the others have the same rules.
SETTINGS = frozenset(
    {
        *("seed", "window", "version", "missing", "sort", "timezone", "checks.gaps"),
        *("columns.close", "columns.timestamp", "columns.symbol", "table.header"),
        *("table.missing_values", "evaluate.horizons", "evaluate.bars_per_year"),
    }
)
PUBLISHED = schema_of("record")


def remembering(check: Check) -> Check:
    """Return a check of jsonschema that is not made again on what has passed it."""
    passed: dict[tuple[int, int], object] = {}

    def checked(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if (id(schema), id(instance)) not in passed:
            errors = list(check(validator, rule, instance, schema))
            if not errors:
                # They are kept, so nothing else will have their ids.
                passed[id(schema), id(instance)] = schema, instance
            yield from errors

    return checked


# Most of a damaged document is the whole one's.
OF_DRAFT = jsonschema.Draft202012Validator
OF_PARTS = ("properties", "additionalProperties", "items", "anyOf", "allOf")
SCHEMA = jsonschema.validators.extend(
    OF_DRAFT, {name: remembering(OF_DRAFT.VALIDATORS[name]) for name in OF_PARTS}
)(PUBLISHED)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Leave a record that has something of everything."""
    folder = tmp_path_factory.mktemp("recorded")
    files = Recorded(folder, STAMPED, CONFIG + "checks: {duplicates: warn}\n")
    assert files.run(f"--signals={folder / 's.csv'}") == 0
    return files


def places(found: Any, place: Place = ()) -> Iterator[Place]:
    """List where anything stands in a document."""
    yield place
    steps = found if isinstance(found, dict) else range(len(found) if type(found) is list else 0)
    for step in steps:
        yield from places(found[step], (*place, step))


def mutated(document: Any, place: Place, value: object) -> Any:
    """Return a document with another value in a place; all others are the same objects."""
    if not place:
        return value
    wrong = copy.copy(document)
    wrong[place[0]] = mutated(document[place[0]], place[1:], value)
    return wrong


def mutations(
    document: Any, values: tuple[object, ...] = VALUES
) -> Iterator[tuple[Place, object, Any]]:
    for place in places(document):
        for value in values:
            yield place, value, mutated(document, place, value)


def fewer_mutations(
    document: Any, values: tuple[object, ...]
) -> Iterator[tuple[Place, object, Any]]:
    """Leave out settings of a kind that another one has."""
    for place, value, wrong in mutations(document, values):
        if place[:1] != ("config",) or len(place) == 1 or place[1] in SETTINGS:
            yield place, value, wrong


@sweep
def test_a_record_is_read_exactly_if_it_is_as_published(files: Recorded) -> None:
    document, path = files.read(), str(files.folder / "wrong.json")
    for place, value, wrong in part_of(fewer_mutations(document, VALUES), 5):
        Path(path).write_text(forged(wrong))
        published = SCHEMA.is_valid(wrong)
        assert published == (not any(departures(wrong, PUBLISHED))), (place, value)
        if published:
            load_record(path)
            continue
        with pytest.raises(DataError) as caught:
            load_record(path)
        assert "Error" not in str(caught.value), (place, value)


def test_a_record_without_or_with_something_more_is_none(files: Recorded) -> None:
    document, path = files.read(), str(files.folder / "wrong.json")
    for place in places(document):
        at = document
        for step in place:
            at = at[step]
        if not isinstance(at, dict):
            continue
        for wrong in (
            mutated(document, place, at | {"more": 1}),
            *(mutated(document, place, {n: at[n] for n in at if n != name}) for name in at),
        ):
            Path(path).write_text(forged(wrong))
            if not SCHEMA.is_valid(wrong):
                with pytest.raises(DataError):
                    load_record(path)


@sweep
def test_whatever_a_record_says_it_is_verified_or_refused(files: Recorded) -> None:
    document, path = files.read(), files.folder / "wrong.json"
    for place, value, wrong in part_of(fewer_mutations(document, VALUES + TEXTS), 5):
        if not SCHEMA.is_valid(wrong):
            continue
        path.write_text(forged(wrong))
        try:
            report = verify(str(path), 2)
        except JobError:
            continue
        assert json.dumps(report.document, allow_nan=False), (place, value)


@sweep
def test_whatever_a_record_says_its_run_is_compared_or_refused(files: Recorded) -> None:
    document, path = files.read(), files.folder / "wrong.json"
    for place, value, wrong in part_of(fewer_mutations(document, (None, -1, [{}])), 5):
        path.write_text(forged(wrong))
        assert command("diff", str(path), str(files.record)) in (0, 1, 2, 65, 66), (place, value)


@sweep
def test_whatever_a_record_says_a_run_ends_well(tmp_path: Path) -> None:
    files = Recorded(tmp_path)
    assert files.run() == 0
    document = files.read()
    for place, value, wrong in part_of(fewer_mutations(document, (None, *TEXTS[-4:])), 6):
        if any(departures(wrong, PUBLISHED)):
            # As good as none.
            continue
        files.record.write_text(forged(wrong))
        assert files.run("--if-changed") == 0, (place, value)
