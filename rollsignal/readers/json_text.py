"""This module reads the text of a JSON document piece by piece, every number as it is written.

The standard library's parser reads one value at a time, from a text that never holds much more than
one block. So the memory does not grow with the document, and a value that is wrong has a line and a
column.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn, cast

from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.messages import shown
from rollsignal.readers.dialect import odd_bytes
from rollsignal.readers.objects import BadLineError, strict_scan

MAX_VALUE_CHARS = 1 << 22
"""The most characters that one bar, or any other single value, may have."""

_SPACE = re.compile(r"[ \t\n]*")
_ENDS_EARLY = "the document ends in the middle: is the file cut off?"
_TOO_DEEP = "nested too deeply"
_TOO_LONG = f"a single value of more than {MAX_VALUE_CHARS:,} characters"


class JsonText:
    """The text of a document, and the place that is reached in it."""

    def __init__(self, pieces: Iterable[bytearray], name: str) -> None:
        """Begin to read; pieces: UTF-8, cut anywhere. name: what messages call the file."""
        self.name = name
        self._pieces = iter(pieces)
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text = ""
        self._at = 0
        self._is_ended = False
        self._has_return = False
        # Where the text begins in the file, and where what is not text begins in it.
        self._line, self._column, self._dropped = 1, 1, 0
        self._odd_at: int | None = None

    def peek(self) -> str:
        """Return the next character that is not blank, "" at the end of the text."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._reads_on():
                return ""

    def skip_sign(self, sign: str) -> bool:
        """Pass over the next character if it is this sign; return whether it was."""
        is_next = self.peek() == sign
        self._at += is_next
        return is_next

    def value(self) -> object:
        """Return the next value, its numbers as text; raises `DataError` unless it is one."""
        if not self.peek():
            raise self.problem(_ENDS_EARLY)
        while True:
            scanned = self._scanned()
            if not isinstance(scanned, str):
                value, end = scanned
                # A number may go on where the text so far ends: 1, 1. and 1e+ begin 1.5 and 1e+5.
                if len(self._text) - end > len("e+") or self._is_ended:
                    self._check_odd(end)
                    self._at = end
                    return value
            elif self._is_ended:
                raise self.problem(scanned)
            elif len(self._text) - self._at > MAX_VALUE_CHARS:
                raise self.problem(_TOO_LONG if scanned == _ENDS_EARLY else scanned)
            self._reads_on()

    def elements(self) -> Iterator[object]:
        """Yield the values of an array whose bracket has been passed over."""
        if self.skip_sign("]"):
            return
        while True:
            yield self.value()
            if not self.another("]"):
                return

    def another(self, close: str) -> bool:
        """Pass over a comma, or the sign that closes an array or object; return which it is."""
        sign = self.peek()
        if sign == ",":
            self._at += 1
            return True
        if sign == close:
            self._at += 1
            return False
        raise self.unexpected(f"a comma or {close}")

    def keys(self) -> Iterator[str]:
        """Yield the keys of an object whose brace has been passed over, each before its value."""
        if self.skip_sign("}"):
            return
        seen: set[str] = set()
        while True:
            if self.peek() != '"':
                raise self.unexpected("a key in quotes")
            begin = self._dropped + self._at
            key = str(self.value())
            if key in seen:
                self._at = begin - self._dropped
                raise self.problem(f"the key {shown(key)} appears twice in one object")
            seen.add(key)
            if not self.skip_sign(":"):
                raise self.unexpected("a colon")
            yield key
            if not self.another("}"):
                return

    def skip(self) -> None:
        """Pass over the next value, however long it is."""
        try:
            self._skip()
        except RecursionError:
            raise self.problem(_TOO_DEEP) from None

    def _skip(self) -> None:
        if self.skip_sign("{"):
            for _ in self.keys():
                self._skip()
        elif self.skip_sign("["):
            if self.skip_sign("]"):
                return
            self._skip()
            while self.another("]"):
                self._skip()
        else:
            self.value()

    def finish(self) -> None:
        """Raise `DataError` if something follows the document."""
        if sign := self.peek():
            hint = "write one object a line, or all of them into one array"
            hint = f" ({hint})" if sign in "{[" else ""
            raise self.problem(f"the document is followed by {self.shown_next()}{hint}")

    def where(self) -> str:
        """Return the name of the file, and the line and column that are reached."""
        before = self._text[: self._at]
        line = self._line + before.count("\n")
        column = len(before) - before.rfind("\n")
        if "\n" not in before:
            column = self._column + len(before)
        return f"{self.name} line {line} column {column}"

    def problem(self, what: str) -> DataError:
        """Return the error for what is wrong at the place that is reached."""
        return DataError(f"{self.where()}: {what}")

    def unexpected(self, wanted: str) -> DataError:
        """Return the error for a sign that is not the one that must follow."""
        if not self.peek():
            return self.problem(_ENDS_EARLY)
        return self.problem(f"{self.shown_next()} instead of {wanted}")

    def shown_next(self) -> str:
        """Return what comes next, quoted for a message."""
        self._check_odd(self._at + 1)
        return shown(self._text[self._at : self._at + 200].partition("\n")[0])

    def _scanned(self) -> tuple[object, int] | str:
        """Parse the next value: return it and where it ends, or what is wrong so far."""
        try:
            return strict_scan(self._text, self._at)
        except StopIteration as error:
            return self._what_is_wrong(cast(int, error.value))
        except json.JSONDecodeError as error:
            is_open = error.msg.startswith("Unterminated")
            return _ENDS_EARLY if is_open else self._what_is_wrong(error.pos)
        except BadLineError as bad:
            raise self.problem(str(bad)) from None
        except RecursionError:
            raise self.problem(_TOO_DEEP) from None

    def _what_is_wrong(self, at: int) -> str:
        """Return what is wrong with the next value, whose text is no JSON from an offset on."""
        if at >= len(self._text.rstrip(BLANKS + "\n")):
            return _ENDS_EARLY
        if self._is_ended:
            self._check_odd(at + 1)
        rest = shown(self._text[at : at + 200].partition("\n")[0])
        if at == self._at:
            return f"{rest}, not JSON"
        return f"a value that is not JSON from its character {at - self._at + 1:,} on: {rest}"

    def _reads_on(self) -> bool:
        """Append the next piece to what is left of the text; return whether there was one."""
        piece = next(self._pieces, None)
        more = self._decode(piece or b"", piece is None)
        if self._has_return:
            more = "\r" + more
        # A line feed may follow in the next piece.
        self._has_return = piece is not None and more.endswith("\r")
        more = more[: len(more) - self._has_return].replace("\r\n", "\n").replace("\r", "\n")
        self._drop_read()
        if self._odd_at is None and odd_bytes(more):
            self._odd_at = len(self._text) + _first_odd(more)
        self._text += more
        self._is_ended = piece is None
        return piece is not None or bool(more)

    def _drop_read(self) -> None:
        """Forget the text before the place that is reached."""
        self._dropped += self._at
        lines = self._text.count("\n", 0, self._at)
        last = self._text.rfind("\n", 0, self._at)
        self._column = self._at - last if lines else self._column + self._at
        self._line += lines
        self._text = self._text[self._at :]
        if self._odd_at is not None:
            self._odd_at -= self._at
        self._at = 0

    def _check_odd(self, end: int) -> None:
        """Raise `DataError` if there is a NUL, or bytes that are not UTF-8, before an offset."""
        if self._odd_at is not None and self._odd_at < end:
            self._at = self._odd_at
            self._raise_odd()

    def _raise_odd(self) -> NoReturn:
        raise self.problem(f"the text {odd_bytes(self._text[self._at])}")


def _first_odd(text: str) -> int:
    return next(at for at, sign in enumerate(text) if odd_bytes(sign))
