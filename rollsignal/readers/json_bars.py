"""This module finds the bars in a JSON document, in one pass, whatever stands around them.

Bars are an array of objects, an array of arrays, an object with times as its keys, or an object
with an array for each column. The last is held in memory, all others are handed on piece by piece.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.errors import DataError
from rollsignal.messages import plural, shown
from rollsignal.readers.dialect import columns_named, named_as_symbols
from rollsignal.readers.json_text import JsonText
from rollsignal.readers.objects import JsonObject
from rollsignal.readers.symbols import PARTING_NAMES
from rollsignal.readers.wrong_headers import is_time, reads_as_time
from rollsignal.readers.wrong_records import Other, bar_around, no_bars, nothing_at, two_places

ROWS_AT_ONCE = 1 << 14
MAX_HELD_VALUES = 1 << 23
TIME_KEY = "timestamp"
"""The name of the column for times that are keys."""

_SHAPES: dict[type, str] = {dict: "an object", list: "an array"}


class FoundRows(NamedTuple):
    """Consecutive bars. has_names: whether they are objects; arrays have their places as keys."""

    records: list[JsonObject]
    has_names: bool


class BarsOfDocument:
    """The bars of one document: where they are, and what stands beside them."""

    def __init__(self, text: JsonText, config: JobConfig) -> None:
        self.path: str | None = None
        self._text = text
        self._close = config.columns.close
        self._is_wide = config.columns.is_wide
        self._written = config.timestamp_format
        self._wanted = config.table.records
        self._symbols: dict[str, dict[str, str]] = {}
        self._doubtful: str | None = None
        self._has_close = False
        self._others: list[Other] = []
        self._empty: list[str] = []

    def pieces(self) -> Iterator[FoundRows]:
        """Yield all bars; raises `DataError` if there are none, or at two places."""
        try:
            yield from self._document()
        except RecursionError:
            raise self._text.problem("nested too deeply") from None

    @property
    def symbols_beside(self) -> dict[str, str]:
        """Return the symbols that stand beside the bars, or around them, by their keys."""
        above = [path for path in self._symbols if self.path == path or is_in(path, self.path)]
        return self._symbols[max(above, key=len)] if above else {}

    def _document(self) -> Iterator[FoundRows]:
        text = self._text
        if not text.peek():
            return
        if text.peek() == "{":
            yield from self._object("")
        elif text.skip_sign("["):
            yield from self._array("")
        else:
            hint = " (if this is a text table: --format csv)"
            raise text.problem(f"{text.shown_next()}, not a JSON document{hint}")
        text.finish()
        if self.path is None:
            self._refuse_none()
        elif self._doubtful is not None:
            raise two_places(self.path, self._doubtful, text.name)
        elif self._has_close and self.path and self._wanted is None:
            raise bar_around(self.path, text.name)

    def _refuse_none(self) -> None:
        """Raise `DataError` for a document without bars, unless it has a place for them."""
        if self._wanted is not None:
            if self._wanted not in self._empty:
                raise nothing_at(self._wanted, self._others, self._text.name)
        elif self._others or len(self._empty) != 1:
            raise no_bars(self._others, self._close, self._text.name)

    def _may_be(self, path: str) -> bool:
        return self._wanted in (None, path)

    def _leads_on(self, path: str) -> bool:
        """Return whether bars may be at a path, or below it."""
        return self._wanted is None or self._wanted == path or is_in(path, self._wanted)

    def _take(self, path: str, first: object) -> bool:
        """Return whether the first of some values shows that they are the bars, and note where."""
        is_declared = self._wanted == path or (self._wanted is None and not path)
        if not (is_declared or self._is_bar(first)):
            self._others.append(Other(path, first))
            return False
        if self.path is not None:
            raise two_places(self.path, path, self._text.name)
        self.path = path
        return True

    def _is_bar(self, first: object) -> bool:
        if isinstance(self._close, int):
            return isinstance(first, list) and not any(type(value) in _SHAPES for value in first)
        if self._is_wide:
            return isinstance(first, dict)
        return isinstance(first, dict) and bool(columns_named(list(first), self._close))

    def _object(self, path: str) -> Iterator[FoundRows]:
        """Yield the bars of an object, or below it."""
        text = self._text
        text.skip_sign("{")
        columns: dict[str, list[object]] = {}
        keys = text.keys()
        for number, key in enumerate(keys):
            inner = f"{path}.{key}" if path else key
            sign = text.peek()
            if sign == "{" and not number and self._are_times(path, key):
                yield from self._times(path, key, keys)
            elif sign == "[":
                yield from self._member(path, key, columns)
            elif sign == "{" and self._leads_on(inner):
                yield from self._object(inner)
            elif sign == "{":
                text.skip()
            else:
                self._note(path, key, text.value())
        if columns:
            yield from self._columns(path, columns)

    def _member(self, path: str, key: str, columns: dict[str, list[object]]) -> Iterator[FoundRows]:
        """Yield the bars of an array with a name, or add it to the columns if it holds no rows."""
        text, inner = self._text, f"{path}.{key}" if path else key
        text.skip_sign("[")
        if text.peek() in ("{", "["):
            yield from self._array(inner)
            return
        if text.peek() == "]" and self._leads_on(inner):
            self._empty.append(inner)
        values = text.elements()
        if self._may_be(path):
            columns[key] = list(self._held(values, columns))
        else:
            for _ in values:
                pass

    def _held(self, values: Iterable[object], columns: dict[str, list[object]]) -> Iterator[object]:
        room = MAX_HELD_VALUES - sum(map(len, columns.values()))
        for number, value in enumerate(values):
            if number >= room:
                raise self._text.problem(
                    f"more than {MAX_HELD_VALUES:,} values in arrays of columns, which are held in"
                    " memory (write one object for each bar)"
                )
            yield value

    def _array(self, path: str) -> Iterator[FoundRows]:
        """Yield the bars of an array whose bracket has been passed over."""
        text = self._text
        if text.skip_sign("]"):
            self._empty.append(path)
            return
        if not self._may_be(path):
            self._skip_rest()
            return
        first = text.value()
        if type(first) not in _SHAPES:
            raise text.problem("an array of single values, where bars must be objects or arrays")
        if self._take(path, first):
            rows = self._alike(chain([first], self._rest()), type(first))
            yield from self._batched(rows, isinstance(first, dict))
        else:
            self._pass_over(path, self._rest())

    def _pass_over(self, path: str, values: Iterable[object]) -> None:
        """Pass over values of which the first is not a bar; note whether another one is."""
        for value in values:
            if self._is_bar(value):
                self._doubtful = path

    def _skip_rest(self) -> None:
        self._text.skip()
        while self._text.another("]"):
            self._text.skip()

    def _rest(self) -> Iterator[object]:
        while self._text.another("]"):
            yield self._text.value()

    def _alike(self, values: Iterable[object], kind: type) -> Iterator[JsonObject]:
        """Yield objects as they are, and arrays as objects; refuse what is not like the first."""
        names: list[str] = []
        for number, value in enumerate(values, start=1):
            if type(value) is not kind:
                what = _SHAPES.get(type(value), "a single value")
                raise self._problem(number, f"{what}, where the first bar is {_SHAPES[kind]}")
            if isinstance(value, dict):
                yield value
                continue
            assert isinstance(value, list), "there is no other kind"
            if number == 1:
                names = [str(place) for place in range(1, len(value) + 1)]
            elif len(value) != len(names):
                what = f"{plural(len(value), 'value')}, where the first bar has {len(names):,}"
                raise self._problem(number, what)
            yield dict(zip(names, value, strict=True))

    def _are_times(self, path: str, key: str) -> bool:
        """Return whether an object has times as keys, by the first one."""
        if self._wanted is None:
            is_declared = self._written is not None and is_time(key, self._written)
            return is_declared or reads_as_time(key)
        return self._wanted == path

    def _times(self, path: str, key: str, keys: Iterator[str]) -> Iterator[FoundRows]:
        """Yield the bars of an object with times as keys, of which the first has been read."""
        first = self._text.value()
        if not self._take(path, first):
            self._pass_over(path, (self._text.value() for _ in keys))
            return
        values = chain([(key, first)], ((key, self._text.value()) for key in keys))
        yield from self._batched(self._with_times(values), True)

    def _with_times(self, values: Iterable[tuple[str, object]]) -> Iterator[JsonObject]:
        for number, (key, value) in enumerate(values, start=1):
            if not isinstance(value, dict):
                what = _SHAPES.get(type(value), "a single value")
                raise self._problem(number, f"{what} at {shown(key)}, where the first is an object")
            if TIME_KEY in value:
                what = f"the key {shown(TIME_KEY)} in an object below the time {shown(key)}"
                raise self._problem(number, what)
            yield {TIME_KEY: key, **value}

    def _columns(self, path: str, columns: dict[str, list[object]]) -> Iterator[FoundRows]:
        """Yield the bars of an object that has an array for each column."""
        header = dict.fromkeys(columns)
        is_close = isinstance(self._close, str) and columns_named(list(columns), self._close)
        if not (is_close or self._is_wide) and self._wanted != path:
            if len(columns) > 1 and len(set(map(len, columns.values()))) == 1:
                self._others.append(Other(path, header))
            return
        if not any(columns.values()):
            self._empty = [place for place in self._empty if not is_in(path, place)] + [path]
            return
        if self.path is not None:
            raise two_places(self.path, path, self._text.name)
        self.path = path
        first, *others = columns
        for name in others:
            if len(columns[name]) != len(columns[first]):
                counts = f"{len(columns[first]):,} values, and {shown(name)} {len(columns[name]):,}"
                raise DataError(f"{self._text.name}: the array {shown(first)} has {counts}")
        rows = zip(*columns.values(), strict=True)
        yield from self._batched((dict(zip(columns, row, strict=True)) for row in rows), True)

    def _batched(self, records: Iterable[JsonObject], has_names: bool) -> Iterator[FoundRows]:
        """Yield records some at a time, and those before an error before it is raised."""
        batch: list[JsonObject] = []
        try:
            for record in records:
                batch.append(record)
                if len(batch) == ROWS_AT_ONCE:
                    yield FoundRows(batch, has_names)
                    batch = []
        except DataError:
            if batch:
                yield FoundRows(batch, has_names)
            raise
        if batch:
            yield FoundRows(batch, has_names)

    def _note(self, path: str, key: str, value: object) -> None:
        """Note a single value if it may be the symbol of bars, or the close of the document."""
        if not isinstance(value, str):
            return
        if value.strip() and named_as_symbols([key], PARTING_NAMES):
            self._symbols.setdefault(path, {})[key] = value
        is_close = isinstance(self._close, str) and columns_named([key], self._close)
        self._has_close |= bool(is_close) and not path

    def _problem(self, number: int, what: str) -> DataError:
        return DataError(f"{self._text.name} row {number}: {what}")


def is_in(path: str, inner: str | None) -> bool:
    """Return whether a path lies below another one."""
    return inner is not None and (not path or inner.startswith(f"{path}."))
