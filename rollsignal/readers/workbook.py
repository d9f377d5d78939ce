"""This module reads the parts of an xlsx workbook that stand beside the cells of a sheet.

They are the list of the sheets, the texts that cells share, and the formats of numbers. The format
is ECMA-376 (Office Open XML); a workbook is a zip archive of such XML files.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.errors import DataError
from rollsignal.files.unpack import WORKBOOK
from rollsignal.messages import plural, shown
from rollsignal.readers.sheet_dates import DateKind, kind_of_format

if TYPE_CHECKING:
    from zipfile import ZipFile

PIECE_BYTES = 1 << 16
# What is held in memory, and what is read piece by piece: far more than Excel can write.
MOST_HELD_BYTES, MOST_SHEET_BYTES = 1 << 28, 1 << 32
MOST_CELL_CHARS, MOST_TAG_BYTES = 1 << 20, 1 << 22
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_TRUE = ("1", "true")


class Tab(NamedTuple):
    """A sheet of a workbook: its name, the file of its cells, and whether it is seen."""

    name: str
    part: str
    is_visible: bool


class Workbook:
    """An opened workbook; `name` is what messages call its file.

    `counts_from_1904` is whether the days of its dates are counted from 1904 on, and
    `is_uncalculated` whether its formulas have no values before a program has calculated them.
    """

    def __init__(self, archive: "ZipFile", name: str) -> None:
        """Read the list of the sheets; raises `DataError`."""
        self.name = name
        self.tabs: list[Tab] = []
        self.counts_from_1904 = self.is_uncalculated = False
        self._archive = archive
        self._parts = archive.namelist()
        if len(set(self._parts)) < len(self._parts):
            raise DataError(f"{name}: a damaged workbook: two of its files are called alike")
        targets = self._targets()
        for tag, given in self._tags(WORKBOOK):
            if tag == "workbookPr":
                self.counts_from_1904 = given.get("date1904") in _TRUE
            elif tag == "calcPr":
                self.is_uncalculated = given.get("fullCalcOnLoad") in _TRUE
            elif tag == "sheet":
                part = targets.get(given.get("id", ""), "")
                is_visible = given.get("state", "visible") == "visible"
                self.tabs.append(Tab(given.get("name", ""), part, is_visible))

    def tab(self, wanted: str | int | None) -> Tab:
        """Return a sheet: by its name, or its place among those that are seen; None: the first."""
        seen = [tab for tab in self.tabs if tab.is_visible]
        if isinstance(wanted, str):
            found = [tab for tab in self.tabs if tab.name.lower() == wanted.lower()]
        else:
            found = seen[(wanted or 1) - 1 :][:1]
        if not found:
            raise DataError(f"{self.name}: {self._no_such_tab(wanted, len(seen))}")
        if not found[0].part:
            what = f"{shown(found[0].name)} is a sheet without cells, such as a chart"
            raise DataError(f"{self.name}: {what} ({self._advice()})")
        return found[0]

    def _no_such_tab(self, wanted: str | int | None, count: int) -> str:
        if isinstance(wanted, str):
            what = f"no sheet {shown(wanted)}, which table.sheet names"
        elif wanted is None:
            what = "a workbook without a sheet that is seen"
        else:
            what = f"{plural(count, 'sheet')}, but table.sheet is {wanted:,}"
        return f"{what} ({self._advice()})"

    def _advice(self) -> str:
        names = ", ".join(shown(tab.name) for tab in self.tabs if tab.part)
        return f"set table: {{sheet: NAME}} with one of {names}" if names else "it has no table"

    def _targets(self) -> dict[str, str]:
        """Return the files of the sheets with cells, by what the list of the sheets calls them."""
        folder = posixpath.dirname(WORKBOOK)
        targets = {}
        for tag, given in self._tags(f"{folder}/_rels/workbook.xml.rels"):
            if tag == "Relationship" and given.get("Type", "").endswith("/worksheet"):
                path = posixpath.join("/", folder, given.get("Target", ""))
                targets[given.get("Id", "")] = posixpath.normpath(path).lstrip("/")
        return targets

    def shared_texts(self) -> list[str]:
        """Read the texts that cells name by their numbers."""
        part = self._beside("sharedStrings.xml")
        texts: list[str] = []
        reader = TextInTags({"si": texts.append}, self._broken(part))
        for piece in self.pieces(part, MOST_HELD_BYTES) if part else ():
            reader.feed(piece)
        return texts

    def date_styles(self) -> dict[str, DateKind]:
        """Return the styles of cells that show numbers as dates or times of day, by number."""
        part = self._beside("styles.xml")
        formats: dict[str, str] = {}
        kinds: dict[str, DateKind] = {}
        style, is_inside = 0, False
        for tag, given in self._tags(part) if part else ():
            if tag == "numFmt":
                formats[given.get("numFmtId", "")] = given.get("formatCode", "")
            elif tag == "cellXfs":
                is_inside = True
            elif tag == "xf" and is_inside:
                number = given.get("numFmtId", "0")
                if kind := kind_of_format(number, formats.get(number)):
                    kinds[str(style)] = kind
                style += 1
            elif tag in ("cellStyles", "dxfs"):
                is_inside = False
        return kinds

    def _beside(self, name: str) -> str:
        """Return a file beside the list of the sheets, in any case of letters; "" without it."""
        wanted = posixpath.join(posixpath.dirname(WORKBOOK), name).lower()
        return next((part for part in self._parts if part.lower() == wanted), "")

    def _tags(self, part: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the tags of a file with their attributes, all without their namespaces."""
        tags: list[tuple[str, dict[str, str]]] = []
        xml = XmlFeed(self._broken(part))
        xml.parser.StartElementHandler = lambda tag, given: tags.append(
            (local(tag), {local(key): value for key, value in given.items()})
        )
        for piece in self.pieces(part, MOST_HELD_BYTES):
            xml.feed(piece)
        yield from tags

    def pieces(self, part: str, most_bytes: int = MOST_SHEET_BYTES) -> Iterator[bytes]:
        """Yield the bytes of a file of the workbook, and b"" at its end; raises `DataError`."""
        if part not in self._parts:
            raise self._broken(part)("it is missing")
        size = self._archive.getinfo(part).file_size
        if size > most_bytes:
            raise self._broken(part)(f"{size:,} bytes, of which at most {most_bytes:,} are read")
        with closing(self._archive.open(part)) as file:
            while piece := file.read(PIECE_BYTES):
                yield piece
        yield b""

    def _broken(self, part: str) -> Callable[[str], DataError]:
        return lambda what: DataError(f"{self.name}: a damaged workbook: {part}: {what}")


class TextInTags:
    """Read XML whose tags hold texts: the text of each such tag goes to a function at its end.

    `feed` takes the next piece. Texts stand in inner tags `t`; those that tell how to pronounce
    another are left out.
    """

    def __init__(
        self, takers: dict[str, Callable[[str], None]], broken: Callable[[str], DataError]
    ) -> None:
        self._takers = takers
        self._texts: list[str] = []
        self._is_text = self._is_spoken = False
        xml = XmlFeed(broken)
        self.feed = xml.feed
        xml.parser.StartElementHandler = self._start
        xml.parser.EndElementHandler = self._end
        xml.parser.CharacterDataHandler = self._add

    def _start(self, tag: str, given: dict[str, str]) -> None:
        tag = local(tag)
        self._is_text = tag == "t" and not self._is_spoken
        self._is_spoken |= tag == "rPh"

    def _end(self, tag: str) -> None:
        tag = local(tag)
        self._is_text = False
        self._is_spoken &= tag != "rPh"
        if tag in self._takers:
            self._takers[tag](plain_text("".join(self._texts)))
            self._texts.clear()

    def _add(self, text: str) -> None:
        if self._is_text:
            self._texts.append(text)


class XmlFeed:
    """A parser of XML that is fed piece by piece; `parser` takes the functions that are called.

    It refuses a declaration of its own entities, and a tag that would be held in memory for long.
    """

    def __init__(self, broken: Callable[[str], DataError]) -> None:
        from xml.parsers import expat

        def refuse(*_: object) -> None:
            raise broken("it declares a document type")

        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = refuse
        self._broken = broken
        self._fed_bytes = 0

    def feed(self, piece: bytes) -> None:
        """Parse a piece, the last of which is empty; raises `DataError`."""
        from xml.parsers.expat import ExpatError

        self._fed_bytes += len(piece)
        try:
            self.parser.Parse(piece, not piece)
        except ExpatError as problem:
            raise self._broken(str(problem)) from None
        if self._fed_bytes - self.parser.CurrentByteIndex > MOST_TAG_BYTES:
            raise self._broken(f"a tag of more than {MOST_TAG_BYTES:,} bytes")


def local(tag: str) -> str:
    """Return a name of XML without the prefix of its namespace."""
    return tag.rpartition(":")[2]


class LocalNames(dict[str, str]):
    """Names of XML, each with what `local` returns for it."""

    def __missing__(self, tag: str) -> str:
        self[tag] = local(tag)
        return self[tag]


def plain_text(text: str) -> str:
    """Return a text of a cell on one line: Excel writes control characters as `_x000D_`."""
    if "_x" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return "".join(" " if sign < " " else sign for sign in text)
