"""This module holds the hints about workbooks, and every way to follow them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.hints import Row, Way
from tests.support.hints_of_bars import DAYS, OTHERS, UP, C, each
from tests.support.workbooks import Cell, Sheet, number, workbook

OLD = {"b.xls": b"\xd0\xcf\x11\xe0" + b"0" * 600}


def bars(closes: Sequence[str]) -> list[tuple[Cell | str | None, ...]]:
    rows = zip(DAYS, map(number, closes), strict=True)
    return [("date", "close"), *rows]


def calculated(value: str | None) -> bytes:
    return workbook([*bars(C)[:-1], (DAYS[-1], Cell(value, formula="B6*2"))])


SHEETS = [Sheet("About", [("nothing",)]), Sheet("A", bars(C)), Sheet("2", bars(OTHERS))]
NAMED = [
    Way([C], config="table: {sheet: A}\n"),
    Way([OTHERS], config='table: {sheet: "2"}\n'),
]

ROWS = [
    Row("if the bars are on another sheet", {"b.xlsx": workbook(SHEETS)}, NAMED),
    Row("set table: {sheet: NAME} with one of …", {"b.xlsx": workbook(SHEETS)}, [
        Way(None, config="table: {sheet: About}\n"), *NAMED,
    ], config="table: {sheet: B}\n"),
    Row("for a sheet of this name write", {"b.xlsx": workbook(
        [*SHEETS, Sheet("0", bars(OTHERS))])}, [
        Way([OTHERS], config='table: {sheet: "0"}\n'),
    ], config="table: {sheet: 0}\n"),
    Row("open the workbook in Excel or LibreOffice, and save it", {"b.xlsx": calculated(None)}, [
        Way([C], {"b.xlsx": calculated(C[-1])}),
    ]),
    Row("save it as xlsx without a password", OLD, [
        Way([C], {"b.xls": None, "b.xlsx": workbook(bars(C))}),
        Way([C], {"b.xls": None, **each(UP)}),
    ]),
]  # fmt: skip
