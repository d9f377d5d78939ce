"""This module reads and writes paths of keys in a JSON document, such as `bars."BRK.B"`."""

import re

_PARTS = re.compile(r'"((?:[^"\\]|\\["\\])*)"(?:\.|\Z)|([^".][^.]*|)(?:\.|\Z)')


class PathError(ValueError):
    """A text is not a path."""


def path_of(text: str) -> tuple[str, ...]:
    """Return the keys of a path; one with a point in it is in quotes. Raises `PathError`.

    >>> path_of('bars."BRK.B"')
    ('bars', 'BRK.B')
    """
    keys: list[str] = []
    at = 0
    while at <= len(text):
        match = _PARTS.match(text, at)
        if match is None:
            raise PathError(text)
        quoted, plain = match.groups()
        keys.append(plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        at = match.end() if match[0].endswith(".") else len(text) + 1
    return tuple(keys)


def key_path(path: tuple[str, ...]) -> str:
    """Write keys as a path.

    >>> key_path(("bars", "BRK.B"))
    'bars."BRK.B"'
    """
    return ".".join(map(_part, path))


def _part(key: str) -> str:
    if key and "." not in key and not key.startswith('"'):
        return key
    return '"' + re.sub(r'(["\\])', r"\\\1", key) + '"'
