"""This module writes xlsx workbooks as Excel does, cell by cell, with the standard library."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
# The styles of the cells: their places in this list are their numbers.
FORMATS = ("General", "yyyy-mm-dd hh:mm:ss", "dd/mm/yyyy", "h:mm", "[h]:mm", '0.00" USD"')
DATED, DAY, CLOCK, ELAPSED, MONEY = range(1, 6)


class Cell(NamedTuple):
    """A cell as it is in the file: its value and type, the style, and its formula if it has one.

    A value of None is absent.
    """

    value: str | None
    kind: str = "n"
    style: int = 0
    formula: str | None = None


Given = Cell | str | None
Rows = Sequence[Sequence[Given]] | Mapping[int, Sequence[Given]]
"""Rows from the first on, or by their numbers. Texts are inline; None is no cell at all."""


class Sheet(NamedTuple):
    """A sheet: its name, its rows, and whether and how it is hidden."""

    name: str
    rows: Rows
    state: str = "visible"
    kind: str = "worksheet"


def letters(column: int) -> str:
    """Return the letters of a column, counted from 0."""
    first, second = divmod(column, 26)
    return (letters(first - 1) if first else "") + chr(ord("A") + second)


def cell_xml(cell: Given, place: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    formula = "" if cell.formula is None else f"<f>{escape(cell.formula)}</f>"
    value = "" if cell.value is None else f"<v>{escape(cell.value)}</v>"
    kind = "" if cell.kind == "n" else f' t="{cell.kind}"'
    return f'<c r="{place}" s="{cell.style}"{kind}>{formula}{value}</c>'


def sheet_xml(rows: Rows) -> str:
    numbered = rows.items() if isinstance(rows, Mapping) else enumerate(rows, start=1)
    written = "".join(
        f'<row r="{number}">'
        + "".join(cell_xml(cell, f"{letters(at)}{number}") for at, cell in enumerate(row))
        + "</row>"
        for number, row in numbered
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{written}</sheetData></worksheet>'


def workbook(
    rows: Rows | Sequence[Sheet],
    *,
    properties: str = "",
    calculation: str = "",
    parts: Mapping[str, str] = {},  # never changed
) -> bytes:
    """Write a workbook of one sheet, Prices, or of several; parts: files in place of others."""
    sheets = list(rows) if is_sheets(rows) else [Sheet("Prices", rows)]  # type: ignore[arg-type]
    tabs = links = ""
    files = {"[Content_Types].xml": "<Types/>"}
    for number, sheet in enumerate(sheets, start=1):
        assert isinstance(sheet, Sheet)
        state = "" if sheet.state == "visible" else f' state="{sheet.state}"'
        tabs += f'<sheet name={quoteattr(sheet.name)} sheetId="{number}"{state} r:id="r{number}"/>'
        path = f"{sheet.kind}s/sheet{number}.xml"
        links += f'<Relationship Id="r{number}" Type="{LINKS}/{sheet.kind}" Target="{path}"/>'
        files[f"xl/{path}"] = sheet_xml(sheet.rows)
    own = "".join(
        f'<numFmt numFmtId="{164 + at}" formatCode={quoteattr(code)}/>'
        for at, code in enumerate(FORMATS)
    )
    styles = "".join(f'<xf numFmtId="{164 + at}"/>' for at in range(len(FORMATS)))
    files |= {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><workbookPr{properties}/>'
        f"<sheets>{tabs}</sheets><calcPr{calculation}/></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{links}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{own}</numFmts><cellStyleXfs>'
        f'<xf numFmtId="14"/></cellStyleXfs><cellXfs>{styles}</cellXfs></styleSheet>',
    }
    return archive(files | dict(parts))


def is_sheets(rows: object) -> bool:
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], Sheet)


def archive(files: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return file.getvalue()


def number(text: str, style: int = 0) -> Cell:
    """Return a cell with a number, as the text that stands in the file."""
    return Cell(text, style=style)
