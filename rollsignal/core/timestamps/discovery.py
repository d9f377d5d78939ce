"""This module finds out how the timestamps of a column are written, and refuses to guess.

What can be read in more than one way is refused, with the setting to write for each of them.
"""

import re
from collections.abc import Sequence

from rollsignal.core.timestamps.forms import COUNT, EPOCHS, Calendar, Count, Form, dated
from rollsignal.core.timestamps.zones import DAY_NS
from rollsignal.errors import BadCellError

_DATE = re.compile(
    r"([0-9]{1,4}|[A-Z]{3,9})([-/. ]?)([0-9]{1,2}|[A-Z]{3,9})(\2|, ?)([0-9]{1,4})(?![0-9])",
    re.IGNORECASE | re.ASCII,
)
_ORDERS = ("Ymd", "dmY", "mdY", "Ybd", "dbY", "bdY", "ymd", "dmy", "mdy", "ybd", "dby", "bdy")
_ISO_DATES = ("%Y-%m-%d", "%Y%m%d")
# So many digits that begin like a year of our time: as counts they would be of August 1970.
_PACKED_TIMES = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S", 17: "%Y%m%d%H%M%S%f"}
# So many digits may also be counts of some unit.
_PACKED_OR_COUNT = {
    6: ("%y%m%d", "%d%m%y", "%m%d%y"),
    8: ("%d%m%Y", "%m%d%Y"),
    10: ("%Y%m%d%H",),
    12: ("%Y%m%d%H%M",),
}
_YEAR_1900_NS = -25_567 * DAY_NS
_YEAR_2100_NS = 47_482 * DAY_NS


def found_form(cells: Sequence[str], iso_only: bool) -> Form:
    """Find the one form in which the first cells of a column are written.

    Raises `BadCellError` if there is none, or if they leave the choice of several.
    """
    first = cells[0].strip()
    forms = _forms(first, iso_only)
    if not forms:
        raise BadCellError("not ISO 8601" if iso_only else "not a timestamp")
    for cell in cells:
        if len(forms) == 1:
            break
        # Where a cell fits none of them, reading it says why.
        forms = [form for form in forms if _fits(form, cell)] or forms[:1]
    settings = [form.setting(first) for form in forms]
    if len(settings) > 1 or "%y" in settings[0]:
        raise BadCellError("ambiguous", hint=f"set timestamp_format: {' or '.join(settings)}")
    return forms[0]


def _forms(first: str, iso_only: bool) -> list[Form]:
    match = None if iso_only else COUNT.fullmatch(first)
    if match:
        return _counts(first, match[2], bool(match[1]))
    patterns = [found for found in _dates(first) if found in _ISO_DATES or not iso_only]
    return [form for form in map(dated, patterns) if form.matches(first)]


def _dates(first: str) -> list[str]:
    """List the patterns that the date at the beginning of a cell may have."""
    match = _DATE.match(first)
    if match is None:
        return []
    kinds = [_kind(match[group]) for group in (1, 3, 5)]
    return [
        f"%{order[0]}{match[2]}%{order[1]}{match[4]}%{order[2]}"
        for order in _ORDERS
        if all(
            kind == letter or (kind == "number" and letter in "mdy")
            for kind, letter in zip(kinds, order, strict=True)
        )
    ]


def _kind(field: str) -> str:
    if field.isalpha():
        return "b"
    return "Y" if len(field) == 4 else "number" if len(field) < 3 else "none"


def _counts(first: str, digits: str, is_negative: bool) -> list[Form]:
    """List the forms that a number may have: counts of some unit, and times without separators."""
    is_plain = digits == first
    if is_plain and digits[:2] in ("19", "20") and len(digits) in _PACKED_TIMES:
        return [Calendar(_PACKED_TIMES[len(digits)])]
    size = len(digits.lstrip("0"))
    units = [Count(word) for word in EPOCHS]
    if is_negative or not 5 <= size <= 8:
        units = [unit for unit in units if size <= unit.most_digits][:1]
    packed = map(Calendar, _PACKED_OR_COUNT.get(len(digits), ()) if is_plain else ())
    return [*units, *(form for form in packed if _fits(form, first, of_our_time=True))]


def _fits(form: Form, cell: str, of_our_time: bool = False) -> bool:
    try:
        ns = form.read(cell)
    except BadCellError:
        return False
    return not of_our_time or _YEAR_1900_NS <= ns < _YEAR_2100_NS
