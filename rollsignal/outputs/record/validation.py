"""This module holds JSON documents against the JSON Schemas that this program publishes.

It knows the keywords that those schemas use, and no others.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from types import UnionType
from typing import Any

from rollsignal.messages import escaped

Schema = dict[str, Any]

SHOWN_CHARACTERS = 40

_TYPES: dict[str, tuple[type | UnionType, str]] = {
    "object": (dict, "an object"),
    "array": (list, "a list"),
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "number": (int | float, "a number"),
    "boolean": (bool, "true or false"),
    "null": (type(None), "null"),
}


def departures(found: Any, schema: Schema, place: str = "") -> Iterator[str]:
    """Say where and how a document departs from a schema, the first thing first.

    >>> next(departures({"rows": [-1]}, {"properties": {"rows": {"items": {"minimum": 0}}}}))
    'rows[0] is -1, less than 0'
    """
    for check in dict.fromkeys(_CHECKS[keyword] for keyword in _CHECKS if keyword in schema):
        told = list(check(found, schema, place))
        if told:
            # What follows would say the same again, or could not be asked.
            yield from told
            return


def _type(found: Any, schema: Schema, place: str) -> Iterator[str]:
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is(found, *_TYPES[name][:1]) for name in wanted):
        yield _not(found, place, (_TYPES[name][1] for name in wanted))


def _is(found: Any, kind: type | UnionType) -> bool:
    return isinstance(found, kind) and isinstance(found, bool) == (kind is bool)


def _any_of(found: Any, schema: Schema, place: str) -> Iterator[str]:
    """Say what is wrong with the first of the choices, if all are."""
    told = [list(departures(found, one, place)) for one in schema["anyOf"]]
    if all(told):
        yield from told[0]


def _all_of(found: Any, schema: Schema, place: str) -> Iterator[str]:
    for rule in schema["allOf"]:
        if not any(departures(found, rule["if"], place)):
            yield from departures(found, rule["then"], place)


def _enum(found: Any, schema: Schema, place: str) -> Iterator[str]:
    words = schema["enum"]
    if not any(type(found) is type(word) and found == word for word in words):
        yield _not(found, place, ("null" if word is None else str(word) for word in words))


def _const(found: Any, schema: Schema, place: str) -> Iterator[str]:
    yield from _enum(found, {"enum": [schema["const"]]}, place)


def _pattern(found: Any, schema: Schema, place: str) -> Iterator[str]:
    if isinstance(found, str) and not re.search(schema["pattern"], found):
        yield f"{place} is {_shown(found)}, which cannot stand there"


def _limits(found: Any, schema: Schema, place: str) -> Iterator[str]:
    if _is(found, int) and found < schema.get("minimum", found):
        yield f"{place} is {_shown(found)}, less than {schema['minimum']}"
    if _is(found, int) and found > schema.get("maximum", found):
        yield f"{place} is {_shown(found)}, more than {schema['maximum']}"


def _lengths(found: Any, schema: Schema, place: str) -> Iterator[str]:
    if not isinstance(found, str | list):
        return
    least = schema.get("minLength" if isinstance(found, str) else "minItems", 0)
    if not least <= len(found) <= schema.get("maxItems", len(found)):
        yield f"{place} is {_shown(found)}, which is too short or too long"


def _items(found: Any, schema: Schema, place: str) -> Iterator[str]:
    for number, item in enumerate(found if isinstance(found, list) else []):
        yield from departures(item, schema["items"], f"{place}[{number}]")


def _required(found: Any, schema: Schema, place: str) -> Iterator[str]:
    for name in schema["required"]:
        if isinstance(found, dict) and name not in found:
            yield f"{_below(place, name)} is missing"


def _properties(found: Any, schema: Schema, place: str) -> Iterator[str]:
    others = schema.get("additionalProperties", {})
    for name, item in found.items() if isinstance(found, dict) else ():
        rule = schema.get("properties", {}).get(name, others)
        if rule is False:
            yield f"{_below(place, name)} is unknown"
        else:
            yield from departures(item, rule, _below(place, name))


Check = Callable[[Any, Schema, str], Iterable[str]]

# In the order in which they are asked.
_CHECKS: dict[str, Check] = {
    "anyOf": _any_of,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minimum": _limits,
    "maximum": _limits,
    "minLength": _lengths,
    "minItems": _lengths,
    "items": _items,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _properties,
    "allOf": _all_of,
}


def _below(place: str, name: str) -> str:
    return f"{place}.{escaped(name)}" if place else escaped(name)


def _not(found: Any, place: str, wanted: Iterable[str]) -> str:
    return f"{place or 'it'} is {_shown(found)}, not {' or '.join(wanted)}"


def _shown(found: Any) -> str:
    text = json.dumps(found)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
