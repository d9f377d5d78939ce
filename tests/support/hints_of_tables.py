"""This module holds the hints about how text tables are written, and every way to follow them."""

from __future__ import annotations

from tests.support.hints import Row, Way
from tests.support.hints_of_bars import (
    BARS,
    DAYS,
    OTHERS,
    SECONDS,
    SLOWER,
    UP,
    WAVES,
    C,
    each,
    good,
    table,
)

ROWS_ALONE = "".join(f"{day},{close}\n" for day, close in zip(DAYS, C, strict=True))
PLACES = "columns: {timestamp: 1, close: 2}\n"
LABELLED = "".join(f"A,{row}\n" for row in ROWS_ALONE.split())
CLOCKED = "".join(f"{day},00:00,{close}\n" for day, close in zip(DAYS, C, strict=True))
TWICE_TIMED = "".join(
    f"{second}000,{close},{second}999\n" for second, close in zip(SECONDS, C, strict=True)
)
OTHER_TABLE = table(OTHERS, head="date,price").splitlines()[1]


def placed(columns: str, table: str = "") -> str:
    return f"columns: {{{columns}}}\n" + (f"table: {{{table}}}\n" if table else "")


PLACED = [
    Row("set columns: {timestamp: PLACE, close: PLACE}", each(ROWS_ALONE), [
        Way([C], config=PLACES),
        Way(None, config=placed("timestamp: 2, close: 1")),
    ]),
    Row("count the columns from 1, and write their places", each(ROWS_ALONE), [
        Way([C], config=PLACES),
    ], config=placed("timestamp: 1, close: 3")),
    Row("}, or none if all bars are one series", each(LABELLED), [
        Way([C], config=placed("symbol: 1, timestamp: 2, close: 3")),
        Way([C], config=placed("symbol: none, timestamp: 2, close: 3")),
    ], config=placed("timestamp: 2, close: 3")),
    Row("or name the one", each(CLOCKED), [
        Way([C], config=placed("timestamp: [1, 2], close: 3")),
        Way([C], config=placed("timestamp: 1, close: 3")),
    ], config=placed("close: 3")),
    Row("whichever is the time of the bars", each(TWICE_TIMED), [
        Way([C], config=placed("timestamp: 1, close: 2")),
        Way([C], config=placed("timestamp: 3, close: 2")),
    ], config=placed("close: 2")),
    Row("write the place of the column, counted from 1", each(LABELLED), [
        Way([C], config=placed("symbol: 1, timestamp: 2, close: 3", "header: none")),
    ], config=placed("timestamp: 2", "header: none")),
    Row("write under columns the place of the symbols", each(LABELLED), [
        Way([C], config=placed("symbol: 1, timestamp: 2, close: 3", "header: none")),
    ], config=placed("symbol: name, timestamp: 2, close: 3", "header: none")),
]  # fmt: skip

LINES = [
    Row("set table: {first_row: null}", each("bars\n" + UP), [
        Way([C], config="table: {header: 2, first_row: null}\n"),
    ], config="table: {header: 2, first_row: 2}\n"),
    Row("or leave out the line", each("0,1,2\n" + LABELLED), [
        Way([C], config=placed("symbol: 1, timestamp: 2, close: 3", "header: 1")),
        Way([C], each(LABELLED)),
    ], config=placed("symbol: 1, timestamp: 2, close: 3", "header: none")),
    Row("with its place, counted from 1, or {timestamp: none}", each(
        "".join(f"x{close},{close}\n" for close in C)), [
            Way([C], config=placed("close: 2, timestamp: none, symbol: none", "header: none")),
            Way(None, config=placed("close: 2, timestamp: 1, symbol: none", "header: none")),
    ], config=placed("close: 2, symbol: none", "header: none")),
    Row("write under columns the places of the columns", each(ROWS_ALONE), [
        Way([C], config=PLACES + "table: {first_row: 1}\n"),
    ], config="table: {first_row: 1}\n"),
    Row("or the like", each("bars\ndate,close\n" + UP), [
        Way([C], config="table: {header: 3}\n"), Way(None, config="table: {header: 2}\n"),
    ]),
    Row("or remove the line", each(UP), [
        Way([C], config="table: {first_row: 2}\n"),
        Way([C[1:]], each(table(C[1:], DAYS[1:])), "table: {first_row: null}\n"),
    ], config="table: {first_row: 3}\n"),
    Row("remove the lines above the header", each(f"date,price\n{OTHER_TABLE}\n" + UP), [
        good(each(UP)),
    ]),
    Row("set table: {header: none}", each(ROWS_ALONE), [
        Way([C], config=PLACES + "table: {header: none}\n"),
    ], config=PLACES + "table: {header: 1}\n"),
    Row("set table: {header: none} if it is a bar", each("0,1\n" + ROWS_ALONE), [
        Way([C], config=PLACES + "table: {header: 1}\n"),
        Way(None, config=PLACES + "table: {header: none}\n"),
    ], config=PLACES),
]  # fmt: skip


def footed(row: str) -> str:
    """Write bars with a row that ends the first block that is read, so that bars follow it."""
    lines = [f"{time},{close},x\n" for time, close in zip(SLOWER, WAVES, strict=True)]
    end = 4000 // len(lines[0])
    lines[end] = lines[end].replace(",x", "," + "x" * 200)
    return "date,close,note\n" + "".join([*lines[:end], row, *lines[end:]])


MARKED = "\ufeff" + UP
GROUPED = "".join(f"{day},1,{close}0\n" for day, close in zip(DAYS, C, strict=True))
WRITTEN = [
    Row("say with table.delimiter what is between fields", each(GROUPED), [
        Way([["1"] * 6], config=PLACES + "table: {thousands: ',', delimiter: ','}\n"),
        Way(None, config=PLACES + "table: {thousands: ',', delimiter: ';'}\n"),
    ], config=PLACES + "table: {thousands: ','}\n"),
    Row("remove this row", each(footed("Sum,,\n")), [
        Way([WAVES], each(footed(""))),
    ], config="table: {footer: skip}\n"),
    Row("set table: {encoding: auto}", each(MARKED), [
        Way([C], config="table: {encoding: auto}\n"),
    ], config="table: {encoding: cp1252}\n"),
    Row("-le}, or …-be", {BARS: UP.encode("utf-16-le")}, [
        Way([C], config="table: {encoding: utf-16-le}\n"),
        Way(None, config="table: {encoding: utf-16-be}\n"),
    ], config="table: {encoding: utf-16}\n"),
    Row("write a name such as cp1252, gbk or utf-16", each(UP), [
        Way([C], config="table: {encoding: cp1252}\n"),
        Way([C], config="table: {encoding: gbk}\n"),
        Way(None, config="table: {encoding: utf-16}\n"),
    ], config="table: {encoding: wide}\n"),
    Row('strip a sign such as "$"', each(table([f"${close}" for close in C])), [
        Way([C], config='table: {strip: "$"}\n'),
    ], config="table: {strip: k}\n"),
    Row("it must be written as table.decimal", each(table([f"{close}.5" for close in C])), [
        Way([[f"{close}.5" for close in C]], config="table: {decimal: '.'}\n"),
    ], config="table: {decimal: ','}\n"),
    Row("not a list (write", each(table([*C[:5], "-9"])), [
        Way([[*C[:5], None]], config="missing: gap\ntable: {missing_values: [-9]}\n"),
    ], config="missing: gap\ntable: {missing_values: -9}\n"),
]  # fmt: skip

SECOND_HEADER = "Ticker,AAPL\nDate,\n"
QUOTED = table([f'"1,0{close}"' for close in C])
THOUSANDS = [f"10{close}" for close in C]
RANKED = "".join(f"{day},{close},5\n" for day, close in zip(DAYS, C, strict=True))
MISLEADING = [
    Row("; else write a point before decimals", each("date,close,\n" + RANKED), [
        Way([C], each("date,close,rank\n" + RANKED)),
        Way([[f"{close}.5" for close in C]], each("date,close,\n" + "".join(
            f"{day},{close}.5,\n" for day, close in zip(DAYS, C, strict=True)))),
    ]),
    Row("if …, set table: {first_row: …}", each(table([]) + SECOND_HEADER + ROWS_ALONE), [
        Way([C], config="table: {first_row: 4}\n"),
    ]),
    Row("if it is a footer, set table: {footer: skip}", each(UP + "Source: nobody\n"), [
        Way([C], config="table: {footer: skip}\n"),
    ]),
    Row("if it is a footer, set table: {footer: skip}", each(UP + "Source\n" + WAVES[0] + "\n"), [
        Way(None, config="table: {footer: skip}\n"),
    ]),
    Row('set table: {strip: "…"}', each(table([f"${close}" for close in C])), [
        Way([C], config='table: {strip: "$"}\n'),
    ]),
    Row('set table: {strip: "…"}', each(table([*(f"{close} €" for close in C[:5]), "$15"])), [
        Way(None, config='table: {strip: "€"}\n'),
    ]),
    Row("if it is a text, write … …", each(QUOTED), [
        Way([THOUSANDS], flags=["--set", 'table.thousands=","']),
    ], flags=["--set", "table.thousands=,"]),
    Row('set timestamp_format: "…', each(
        table(C, [f"01.01.2024 00:00:0{at}.000" for at in range(6)])), [
        Way([C], config='timestamp_format: "%d.%m.%Y %H:%M:%S.%f"\n'),
    ], config='timestamp_format: "%d.%m.%Y %H:%M:%S"\n'),
]  # fmt: skip

ROWS = [*MISLEADING, *PLACED, *LINES, *WRITTEN]
