"""This module reads what a type declares: its JSON Schema, and its value in a JSON document.

Whole numbers are not negative unless `Limits` say otherwise: `Annotated[int, Limits(minimum=1)]`.
"""

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from rollsignal.outputs.record.validation import Schema

_BUILT_IN: dict[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number"},
    object: {},
}


class Limits:
    """Keywords of JSON Schema that narrow what a type declares; None takes one away."""

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords


class Newer(Limits):
    """A field that records of earlier versions do not have; then its default holds."""


def type_schema(declared: Any) -> Schema:
    """Describe in JSON Schema what a type declares.

    >>> type_schema(list[int] | None)["anyOf"][0]
    {'type': 'array', 'items': {'type': 'integer', 'minimum': 0}}
    """
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is Annotated:
        narrowed = type_schema(arguments[0]) | arguments[1].keywords
        return {key: value for key, value in narrowed.items() if value is not None}
    if origin in (UnionType, Union):
        return {"anyOf": [type_schema(arguments[0]), {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": type_schema(arguments[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": type_schema(arguments[1])}
    if declared in _BUILT_IN:
        return _BUILT_IN[declared]
    hints = get_type_hints(declared, include_extras=True)
    # A name that is a keyword of Python has an underscore at its end.
    named = {name.removesuffix("_"): hint for name, hint in hints.items()}
    schema = object_schema(**{name: type_schema(hint) for name, hint in named.items()})
    return schema | {"required": [name for name, hint in named.items() if not _is_newer(hint)]}


def _is_newer(declared: Any) -> bool:
    return get_origin(declared) is Annotated and isinstance(get_args(declared)[1], Newer)


def object_schema(**properties: Schema) -> Schema:
    """Describe an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def typed(declared: Any, value: Any) -> Any:
    """Return a JSON value as its type declares it; it must be as `type_schema` describes."""
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is Annotated or (origin in (UnionType, Union) and value is not None):
        return typed(arguments[0], value)
    if origin is list:
        return [typed(arguments[0], item) for item in value]
    if origin is dict:
        return {name: typed(arguments[1], item) for name, item in value.items()}
    if not hasattr(declared, "_fields"):
        return value
    hints = get_type_hints(declared, include_extras=True)
    there = {name: hint for name, hint in hints.items() if name in value}
    return declared(**{name: typed(hint, value[name]) for name, hint in there.items()})
