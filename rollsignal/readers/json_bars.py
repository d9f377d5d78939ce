"""This module finds the bars in a JSON document, in one pass, whatever stands around them.

Bars are an array of objects, an array of arrays, an object with times as its keys, or an object
with an array for each column. The last is held in memory, all others are handed on piece by piece.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from rollsignal.config.json_paths import key_path
from rollsignal.config.settings import JobConfig
from rollsignal.errors import DataError
from rollsignal.messages import plural, shown
from rollsignal.readers.dialect import named_as_symbols
from rollsignal.readers.json_places import SHAPES, BarsPlace, KeyPath, is_in
from rollsignal.readers.json_text import JsonText
from rollsignal.readers.objects import JsonObject
from rollsignal.readers.symbols import PARTING_NAMES
from rollsignal.readers.wrong_headers import is_time, reads_as_time
from rollsignal.readers.wrong_records import Other

ROWS_AT_ONCE = 1 << 14
MAX_HELD_VALUES = 1 << 23
TIME_KEY = "timestamp"
"""The name of the column for times that are keys."""


class FoundRows(NamedTuple):
    """Consecutive bars. has_names: whether they are objects; arrays have their places as keys.

    symbol: the key above them, if keys are symbols.
    """

    records: list[JsonObject]
    has_names: bool
    symbol: str | None = None


class BarsOfDocument:
    """The bars of one document: where they are, and what stands beside them."""

    def __init__(self, text: JsonText, config: JobConfig) -> None:
        self._text = text
        self._place = BarsPlace(config, text.name)
        self._written = config.timestamp_format
        self._symbols: dict[KeyPath, dict[str, str]] = {}
        self._width: int | None = None
        self._has_names: bool | None = None

    def pieces(self) -> Iterator[FoundRows]:
        """Yield all bars; raises `DataError` if there are none, or at two places."""
        try:
            yield from self._document()
        except RecursionError:
            raise self._text.problem("nested too deeply") from None

    @property
    def path(self) -> KeyPath | None:
        """Return where the bars are, None before the first of them."""
        return self._place.path

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
            yield from self._object(())
        elif text.skip_sign("["):
            yield from self._array(())
        else:
            hint = " (if this is a text table: --format csv)"
            raise text.problem(f"{text.shown_next()}, not a JSON document{hint}")
        text.finish()
        self._place.finish()

    def _object(self, path: KeyPath) -> Iterator[FoundRows]:
        """Yield the bars of an object, or below it."""
        text = self._text
        text.skip_sign("{")
        columns: dict[str, list[object]] = {}
        keys = text.keys()
        for number, key in enumerate(keys):
            inner = (*path, key)
            sign = text.peek()
            if sign == "{" and not number and self._are_times(path, key):
                yield from self._times(path, key, keys)
            elif sign == "[":
                yield from self._member(path, key, columns)
            elif sign == "{" and self._place.leads_on(inner):
                yield from self._object(inner)
            elif sign == "{":
                text.skip()
            else:
                self._note(path, key, text.value())
        if self._place.has_keys and self._place.is_declared(path):
            self._place.empty.append((*path, ""))
        if columns:
            yield from self._columns(path, columns)

    def _member(
        self, path: KeyPath, key: str, columns: dict[str, list[object]]
    ) -> Iterator[FoundRows]:
        """Yield the bars of an array with a name, or add it to the columns if it holds no rows."""
        text, inner = self._text, (*path, key)
        text.skip_sign("[")
        if text.peek() in ("{", "["):
            yield from self._array(inner)
            return
        if text.peek() == "]" and self._place.leads_on(inner):
            self._place.empty.append(inner)
        values = text.elements()
        if self._place.may_be(path):
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

    def _array(self, path: KeyPath) -> Iterator[FoundRows]:
        """Yield the bars of an array whose bracket has been passed over."""
        text = self._text
        if text.skip_sign("]"):
            self._place.empty.append(path)
            return
        if not self._place.may_be(path):
            self._skip_rest()
            return
        first = text.value()
        if type(first) not in SHAPES:
            raise text.problem("an array of single values, where bars must be objects or arrays")
        if self._place.take(path, first):
            rows = self._alike(chain([first], self._rest()), type(first))
            yield from self._batched(rows, isinstance(first, dict), path)
        else:
            self._pass_over(path, self._rest())

    def _pass_over(self, path: KeyPath, values: Iterable[object]) -> None:
        """Pass over values of which the first is not a bar; note whether another one is."""
        for value in values:
            if self._place.is_bar(value):
                self._place.doubtful = path

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
                what = SHAPES.get(type(value), "a single value")
                raise self._problem(number, f"{what}, where the first bar is {SHAPES[kind]}")
            if isinstance(value, dict):
                yield value
                continue
            assert isinstance(value, list), "there is no other kind"
            if number == 1:
                self._check_width(len(value))
                names = [str(place) for place in range(1, len(value) + 1)]
            elif len(value) != len(names):
                what = f"{plural(len(value), 'value')}, where the first bar has {len(names):,}"
                raise self._problem(number, what)
            yield dict(zip(names, value, strict=True))

    def _check_width(self, width: int) -> None:
        """Refuse arrays of another length than those of the symbol before."""
        if self._width not in (None, width):
            what = f"arrays of {plural(width, 'value')}, where other symbols have {self._width:,}"
            raise self._text.problem(what)
        self._width = width

    def _are_times(self, path: KeyPath, key: str) -> bool:
        """Return whether an object has times as keys, by the first one."""
        if not self._place.is_given:
            is_declared = self._written is not None and is_time(key, self._written)
            return is_declared or reads_as_time(key)
        return self._place.may_be(path)

    def _times(self, path: KeyPath, key: str, keys: Iterator[str]) -> Iterator[FoundRows]:
        """Yield the bars of an object with times as keys, of which the first has been read."""
        first = self._text.value()
        if not self._place.take(path, first):
            self._pass_over(path, (self._text.value() for _ in keys))
            return
        values = chain([(key, first)], ((key, self._text.value()) for key in keys))
        yield from self._batched(self._with_times(values), True, path)

    def _with_times(self, values: Iterable[tuple[str, object]]) -> Iterator[JsonObject]:
        for number, (key, value) in enumerate(values, start=1):
            if not isinstance(value, dict):
                what = SHAPES.get(type(value), "a single value")
                raise self._problem(number, f"{what} at {shown(key)}, where the first is an object")
            if TIME_KEY in value:
                what = f"the key {shown(TIME_KEY)} in an object below the time {shown(key)}"
                raise self._problem(number, what)
            yield {TIME_KEY: key, **value}

    def _columns(self, path: KeyPath, columns: dict[str, list[object]]) -> Iterator[FoundRows]:
        """Yield the bars of an object that has an array for each column."""
        place = self._place.of_columns(path, list(columns))
        if place is None:
            if len(columns) > 1 and len(set(map(len, columns.values()))) == 1:
                self._place.others.append(Other(key_path(path), dict.fromkeys(columns)))
            return
        if not any(columns.values()):
            self._place.note_empty_columns(path)
            return
        self._place.settle(place)
        first, *others = columns
        for name in others:
            if len(columns[name]) != len(columns[first]):
                counts = f"{len(columns[first]):,} values, and {shown(name)} {len(columns[name]):,}"
                raise DataError(f"{self._text.name}: the array {shown(first)} has {counts}")
        rows = zip(*columns.values(), strict=True)
        records = (dict(zip(columns, row, strict=True)) for row in rows)
        yield from self._batched(records, True, path)

    def _batched(
        self, records: Iterable[JsonObject], has_names: bool, path: KeyPath
    ) -> Iterator[FoundRows]:
        """Yield records some at a time, and those before an error before it is raised."""
        symbol = path[-1] if self._place.has_keys else None
        if self._has_names not in (None, has_names):
            what = "objects" if has_names else "arrays"
            raise self._text.problem(f"{what}, where the bars of other symbols are not")
        self._has_names = has_names
        batch: list[JsonObject] = []
        try:
            for record in records:
                batch.append(record)
                if len(batch) == ROWS_AT_ONCE:
                    yield FoundRows(batch, has_names, symbol)
                    batch = []
        except DataError:
            if batch:
                yield FoundRows(batch, has_names, symbol)
            raise
        if batch:
            yield FoundRows(batch, has_names, symbol)

    def _note(self, path: KeyPath, key: str, value: object) -> None:
        """Note a single value if it may be the symbol of bars, or the close of the document."""
        if self._place.has_keys and self._place.is_declared(path) and value is not None:
            what = f"a single value at the key {shown(key)}, where the bars of a symbol must be"
            raise self._text.problem(what)
        if not isinstance(value, str):
            return
        if value.strip() and named_as_symbols([key], PARTING_NAMES):
            self._symbols.setdefault(path, {})[key] = value
        self._place.has_close |= not path and self._place.names_close([key])

    def _problem(self, number: int, what: str) -> DataError:
        return DataError(f"{self._text.name} row {number}: {what}")
