"""This module turns patterns of timestamps, such as `%d/%m/%Y %H:%M`, into regular expressions.

Each directive becomes a group that is named by its letter. Names of months and weekdays are English
on every machine, and a blank in a pattern matches one or more blanks.
"""

import re
from typing import NamedTuple

from rollsignal.messages import escaped

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY = (
    "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
    "|sat(?:urday)?|sun(?:day)?"
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
UNITS = ("year", "month", "day", "hour", "minute", "second", "fraction")
ZONE = "[+-][0-9]{2}(?::?[0-9]{2}){0,2}|[A-Z][A-Z0-9_+:/-]*"
HALF = "[AP]M(?![A-Z])"

_NUMBER = "[0-9]{1,2}"
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)


class Directive(NamedTuple):
    """What a letter after `%` stands for: its unit of time, its group, and what it matches."""

    unit: str
    group: str
    expression: str


DIRECTIVES = {
    "Y": Directive("year", "Y", "[0-9]{4}"),
    "y": Directive("year", "y", "[0-9]{2}"),
    "m": Directive("month", "m", _NUMBER),
    "b": Directive("month", "b", _MONTH),
    "B": Directive("month", "b", _MONTH),
    "d": Directive("day", "d", _NUMBER),
    "H": Directive("hour", "H", _NUMBER),
    "I": Directive("hour", "H", _NUMBER),
    "M": Directive("minute", "M", "[0-9]{2}"),
    "S": Directive("second", "S", "[0-9]{2}"),
    "f": Directive("fraction", "f", "[0-9]{1,9}"),
    "p": Directive("half of the day", "p", HALF),
    "z": Directive("zone", "z", ZONE),
    "Z": Directive("zone", "z", ZONE),
    "a": Directive("weekday", "a", WEEKDAY),
    "A": Directive("weekday", "a", WEEKDAY),
}
GROUPS = tuple(dict.fromkeys(directive.group for directive in DIRECTIVES.values()))


class PatternError(ValueError):
    """A pattern does not describe a timestamp."""


def expression(pattern: str) -> str:
    """Return the regular expression of a pattern; raises `PatternError`.

    >>> expression("%Y%m")
    '(?P<Y>[0-9]{4})(?P<m>[0-9]{2})'
    """
    parts = re.split("%(.?)", pattern.strip(), flags=re.DOTALL)
    literals, letters = parts[::2], parts[1::2]
    _check_letters([letter for letter in letters if letter != "%"])
    source = _literal(literals[0])
    for at, letter in enumerate(letters):
        before = letters[at - 1] if at and not literals[at] else ""
        after = letters[at + 1] if at + 1 < len(letters) and not literals[at + 1] else ""
        source += _group(letter, is_packed=_is_number(before) or _is_number(after))
        source += _literal(literals[at + 1])
    return source


def compiled(source: str) -> re.Pattern[str]:
    """Compile an expression; every group of `GROUPS` that it lacks is added as an empty one."""
    missing = [f"(?P<{group}>)" for group in GROUPS if f"(?P<{group}>" not in source]
    return re.compile(source + "".join(missing), re.IGNORECASE | re.ASCII)


def pattern_of(match: re.Match[str]) -> str:
    """Return the pattern of a match: its text, with what each group holds replaced by a directive.

    >>> pattern_of(compiled("(?P<Y>[0-9]+)/(?P<m>[0-9]+)").fullmatch("2024/01"))
    '%Y/%m'
    """
    text = match.string
    spans = [(match.start(group), match.end(group), group) for group in GROUPS if match[group]]
    for start, end, group in sorted(spans, reverse=True):
        letter = "I" if group == "H" and match["p"] else group
        text = f"{text[:start]}%{letter}{text[end:]}"
    return text


def _check_letters(letters: list[str]) -> None:
    for letter in letters:
        if letter not in DIRECTIVES:
            known = " ".join(f"%{each}" for each in DIRECTIVES)
            shown = escaped(letter)
            raise PatternError(f"has the unknown directive %{shown} (known: {known} %%)")
    units = [DIRECTIVES[letter].unit for letter in letters]
    for unit in units:
        if units.count(unit) > 1:
            raise PatternError(f"has the {unit} twice")
    given = [unit in units for unit in UNITS]
    gap = given.index(False) if False in given else len(given)
    if gap == 0 or True in given[gap:]:
        letter = next(letter for letter, each in DIRECTIVES.items() if each.unit == UNITS[gap])
        raise PatternError(f"does not have the {UNITS[gap]} (%{letter})")
    if ("I" in letters) != ("p" in letters):
        raise PatternError("has only one of %I and %p, which belong together")


def _is_number(letter: str) -> bool:
    return letter in DIRECTIVES and DIRECTIVES[letter].expression.startswith("[0-9]")


def _group(letter: str, is_packed: bool) -> str:
    """Return a directive's group; numbers next to each other must have all their digits."""
    if letter == "%":
        return "%"
    directive = DIRECTIVES[letter]
    number = "[0-9]{2}" if is_packed else _NUMBER
    return f"(?P<{directive.group}>{directive.expression.replace(_NUMBER, number)})"


def _literal(text: str) -> str:
    return "[ \t]+".join(map(re.escape, re.split("[ \t]+", text)))
