"""This module tells at which place of a JSON document its bars are."""

from collections.abc import Sequence

from rollsignal.config.json_paths import key_path, path_of
from rollsignal.config.settings import JobConfig
from rollsignal.errors import DataError
from rollsignal.readers.dialect import columns_named
from rollsignal.readers.wrong_records import (
    Other,
    bar_around,
    no_bars,
    nothing_at,
    or_of_symbols,
    two_places,
)

# The keys above some values, from the outermost on.
KeyPath = tuple[str, ...]

SHAPES: dict[type, str] = {dict: "an object", list: "an array"}


class BarsPlace:
    """The place of the bars: the one that the config declares, else the only one with bars.

    `path` is where they are, once one is found. `others` are values that are no bars, `empty` are
    places without any, `doubtful` is a place whose first value is no bar, but another one is.
    `has_close` is whether the document itself has a close, beside its bars. `has_keys` is whether
    the last key of a path is a symbol.
    """

    def __init__(self, config: JobConfig, name: str) -> None:
        self.path: KeyPath | None = None
        self.others: list[Other] = []
        self.empty: list[KeyPath] = []
        self.doubtful: KeyPath | None = None
        self.has_close = False
        wanted, source = config.table.records, config.columns.symbol
        self.has_keys = source is not None and source.key
        self._name = name
        self._close = config.columns.close
        self._is_wide = config.columns.is_wide
        # Without quotes, points may be within keys or between them.
        self._has_quotes = wanted is not None and '"' in wanted
        self._wanted = key_path(path_of(wanted)) if wanted and self._has_quotes else wanted

    @property
    def is_given(self) -> bool:
        """Return whether the config declares the place."""
        return self._wanted is not None

    def _refuse_none(self) -> None:
        """Raise `DataError` for a document without bars, unless it has a place for them."""
        if self._wanted is not None:
            if not any(self.may_be(path) for path in self.empty):
                raise nothing_at(self._wanted, self.others, self._name)
        elif self.others or not self.empty or (len(self.empty) > 1 and not self.has_keys):
            others = self.others
            if self.has_keys and len({path_of(other.path)[:-1] for other in others}) == 1:
                # Beside each other they are the bars of symbols, and are like the first.
                others = others[:1]
            raise no_bars(others, self._close, self._name)

    def finish(self) -> None:
        """Raise `DataError` for a document without bars, or with some at another place."""
        if self.path is None:
            self._refuse_none()
        elif self.doubtful is not None:
            raise self._two_places(self.doubtful)
        elif self.has_close and self.path and self._wanted is None:
            raise bar_around(key_path(self.path), self._name)

    def names_close(self, keys: Sequence[str]) -> bool:
        """Return whether one of some keys is the name of the closes."""
        return isinstance(self._close, str) and bool(columns_named(keys, self._close))

    def of_columns(self, path: KeyPath, keys: Sequence[str]) -> KeyPath | None:
        """Return the place of bars with an array for each of these keys; None if they are none."""
        place = self._place_of(path)
        are_bars = self.names_close(keys) or self._is_wide or self.is_declared(place)
        return place if are_bars else None

    def note_empty_columns(self, path: KeyPath) -> None:
        """Note a place of bars, each array of which is empty."""
        self.empty = [empty for empty in self.empty if not is_in(path, empty)] + [path]

    def _place_of(self, path: KeyPath) -> KeyPath | None:
        """Return the place of bars at a path, which is that of their key if keys are symbols."""
        if not self.has_keys:
            return path
        return path[:-1] if path else None

    def may_be(self, path: KeyPath) -> bool:
        """Return whether bars may be at a path, by the config."""
        return self._wanted is None or self.is_declared(self._place_of(path))

    def is_declared(self, path: KeyPath | None) -> bool:
        """Return whether a path is the one that the config declares."""
        return path is not None and self._wanted == self._text_of(path)

    def _text_of(self, path: KeyPath) -> str:
        return key_path(path) if self._has_quotes else ".".join(path)

    def leads_on(self, path: KeyPath) -> bool:
        """Return whether bars may be at a path, or below it."""
        is_above = self._wanted is not None and self._wanted.startswith(f"{self._text_of(path)}.")
        return self.may_be(path) or self.is_declared(path) or is_above

    def _two_places(self, other: KeyPath) -> DataError:
        here = self.path or ()
        error = two_places(key_path(here), key_path(other), self._name)
        if self.has_keys or not (here and other) or here[:-1] != other[:-1]:
            return error
        return or_of_symbols(error, key_path(here[:-1]))

    def take(self, path: KeyPath, first: object) -> bool:
        """Return whether the first of some values shows that they are the bars, and note where."""
        place = self._place_of(path)
        is_taken = self.is_declared(place) or (self._wanted is None and place == path == ())
        if place is None or not (is_taken or self.is_bar(first)):
            above = key_path(path[:-1]) if path and not self.has_keys else None
            self.others.append(Other(key_path(path), first, above))
            return False
        self.settle(place)
        return True

    def settle(self, place: KeyPath) -> None:
        """Note where the bars are; raises `DataError` if there were others at another place."""
        if self.path is not None and (not self.has_keys or self.path != place):
            raise self._two_places(place)
        self.path = place

    def is_bar(self, first: object) -> bool:
        """Return whether a value is a bar, by what it has."""
        if isinstance(self._close, int):
            return isinstance(first, list) and not any(type(value) in SHAPES for value in first)
        if self._is_wide:
            return isinstance(first, dict)
        return isinstance(first, dict) and self.names_close(list(first))


def is_in(path: KeyPath, inner: KeyPath | None) -> bool:
    """Return whether a path lies below another one."""
    return inner is not None and len(path) < len(inner) and inner[: len(path)] == path
