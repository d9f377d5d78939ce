"""This module holds the hints about symbols in other shapes and rarer times."""

from __future__ import annotations

from tests.support.hints import Row, Way
from tests.support.hints_of_bars import BOTH, DAYS, OTHERS, C, each, table

PAIR = "columns: {symbol: [venue, coin]}\n"
TURNED = Way(BOTH, config="columns: {symbol: [coin, venue]}\n")


def pairs(first: str, second: str, head: str = "venue,coin,date,close") -> str:
    """Write the rows of two series in turn, each with these labels before its date."""
    rows = (
        f"{labels},{day},{close}\n"
        for at, day in enumerate(DAYS)
        for labels, close in ((first, C[at]), (second, OTHERS[at]))
    )
    return head + "\n" + "".join(rows)


PARTS = [
    Row("name that column", each(pairs("X:a,b", "X:b,b")), [TURNED], config=PAIR),
    Row("name columns of the rows under columns, or folders for all", {
        "venue=X/a.csv": pairs("a", "b", "coin,date,close"),
    }, [
        Way(BOTH, config="columns: {symbol: coin}\n"),
        Way(BOTH, {"venue=X/a.csv": None, "venue=X/coin=a/a.csv": "date,close\n" + "".join(
            f"{day},{close}\n" for day, close in zip(DAYS, C, strict=True)),
            "venue=X/coin=b/a.csv": "date,close\n" + "".join(
            f"{day},{close}\n" for day, close in zip(DAYS, OTHERS, strict=True)),
        }, inputs=["venue=X"]),
    ], config=PAIR),
    Row("name each part of the symbol once", each(pairs("X,a", "X,b")), [
        Way(BOTH, config=PAIR),
    ], config="columns: {symbol: [coin, Coin]}\n"),
    Row("name that folder last", {"venue=X:a/coin=b/a.csv": "date,close\n" + "".join(
        f"{day},{close}\n" for day, close in zip(DAYS, C, strict=True))}, [
            Way([C], config=TURNED.config),
    ], config=PAIR),
    Row("has … twice; keep one", each(pairs("X,a", "X,b")), [
        Way(BOTH, config="columns: {symbol: coin}\n"),
        Way(None, config="columns: {symbol: venue}\n"),
    ], config="columns: {symbol: [coin, coin]}\n"),
    Row("is a list of …, not of two or more", each(pairs("X,a", "X,b")), [
        Way(BOTH, config=PAIR),
    ], config="columns: {symbol: [coin]}\n"),
]  # fmt: skip

WIDE = "columns: {symbol: {from: header}}\n"


def wide(**columns: list[str]) -> str:
    """Write a wide table with the columns date, a and b, and these before them."""
    names = [*columns, "date", "a", "b"]
    rows = zip(*columns.values(), DAYS, C, OTHERS, strict=True)
    return "".join(",".join(row) + "\n" for row in [names, *rows])


def of_header(source: str) -> str:
    return f"columns: {{symbol: {{from: header, {source}}}}}\n"


OBJECTS = [
    f'{{"date": "{day}", "a": {close}, "b": {other}}}'
    for day, close, other in zip(DAYS, C, OTHERS, strict=True)
]
IN_HEADER = [
    Row("to leave it out, or name all symbols with only", each(wide(volume=["5"] * 6)), [
        Way(BOTH, config=of_header("except: [volume]")),
        Way(BOTH, config=of_header("only: [a, b]")),
    ], config=WIDE),
    Row("are both called … (set", each(wide(a=["5"] * 6)), [
        Way(BOTH, config=of_header("except: [1]")),
        Way([["5"] * 6, OTHERS], config=of_header("except: [3]")),
    ], config=WIDE),
    Row("leave out that name in columns.symbol.only", each(wide()), [
        Way(BOTH, config=of_header("only: [a, b]")),
    ], config=of_header("only: [date, a, b]")),
    Row("if it is no wide table", each(wide()), [
        Way(None, config="columns: {symbol: null}\n"),
    ], config=of_header("except: [a, b]")),
    Row("say with table: {header: LINE}", each("1,2\n" + wide()), [
        Way(BOTH, config=WIDE + "table: {header: 2}\n"),
    ], config="columns: {timestamp: none, symbol: {from: header}}\ntable: {header: 1}\n"),
    Row("add it to the first object with null", {
        "b.json": "\n".join([OBJECTS[0].replace(', "b": 9', ""), *OBJECTS[1:]]) + "\n",
    }, [
        Way([C, OTHERS[1:]], {"b.json": "\n".join(
            [OBJECTS[0].replace('"b": 9', '"b": null'), *OBJECTS[1:]]) + "\n"},
            config=WIDE + "missing: skip\n"),
        Way([C], {"b.json": "\n".join(each.rpartition(",")[0] + "}" for each in OBJECTS) + "\n"}),
    ], config=WIDE),
    Row("is a mapping, but not {from: header}, with only", each(wide()), [
        Way(BOTH, config=WIDE), Way([C], config=of_header("only: [a]")),
        Way([C], config=of_header("except: [b]")),
    ], config=of_header("names: [a]")),
    Row("(leave out columns.close, and list", each(wide()), [
        Way(BOTH, config=of_header("only: [a, b]")), Way([C], config=of_header("only: [a]")),
    ], config="columns: {close: a, symbol: {from: header}}\n"),
]  # fmt: skip

BY_KEY = "columns: {symbol: {from: key}}\n"
KEYS = [
    Row("name the column of symbols under columns", each(pairs("X,a", "X,b")), [
        Way(BOTH, config="columns: {symbol: coin}\n"),
    ], config=BY_KEY),
    Row("write a key with a point in it as", {
        "b.json": '{"bars": {"BRK.B": [' + ", ".join(OBJECTS) + '], "x": [' + OBJECTS[0] + "]}}",
    }, [
        Way([C], config="columns: {close: a}\ntable: {records: 'bars.\"BRK.B\"'}\n"),
    ], config="columns: {close: a}\ntable: {records: 'bars.\"BRK.B'}\n"),
]  # fmt: skip

MIDNIGHT = [str(34_200_000 + 60_000 * row) for row in range(6)]
OF_DAY = table(C, MIDNIGHT, "time,close")
DATED = "".join(
    f"{line},{close}\n" for line, close in zip(
        ["jour,time", *(f"20240102,{ms}" for ms in MIDNIGHT)], ["close", *C], strict=True)
)  # fmt: skip
IN_COLUMNS = "timestamp_format: ms_of_day\ncolumns: {timestamp: [jour, time]}\n"
IN_PATH = (
    "timestamp_format: ms_of_day\n"
    'columns: {timestamp: [{from: path, pattern: "([0-9]{8})_"}, time]}\n'
)
MS_OF_DAY = [
    Row(hint, {"20240102_a.csv": OF_DAY}, [
        Way([C], config=IN_PATH),
        Way([C], {"20240102_a.csv": DATED}, config=IN_COLUMNS),
        Way(None, {"20240102_a.csv": None, "a.csv": OF_DAY}, config=IN_PATH, inputs=["a.csv"]),
    ], config=before)
    for hint, before in (("if these are milliseconds since midnight", ""),
        ("name the columns of date and time:", "timestamp_format: ms_of_day\n"))
]  # fmt: skip
SERIAL = [f"4529{row}" for row in range(6)]
ROUNDED = [f"1.70{row}07E+12" for row in range(6)]
COUNTS = [
    Row("if these are days of Excel", each(table(C, SERIAL)), [
        Way([C], config="timestamp_format: excel\n"), Way([C], each(table(C))),
    ]),
    Row("have the spreadsheet write times as", each(table(C, [f"{day}.60417" for day in SERIAL])), [
        Way([C], each(table(C, [f"{day}.6041666667" for day in SERIAL]))),
        Way([C], each(table(C, [f"{day} 14:30:00" for day in DAYS])), config=""),
    ], config="timestamp_format: excel\n"),
    Row("write all digits of these counts", each(table(C, ROUNDED)), [
        Way([C], each(table(C, [f"170{row}067200000" for row in range(6)]))),
    ]),
    Row("has a mapping that is not {from: path, pattern", {"20240102_a.csv": OF_DAY}, [
        Way([C], config=IN_PATH),
    ], config="columns: {timestamp: [{from: folder}, time]}\n"),
]  # fmt: skip

ROWS = PARTS + IN_HEADER + KEYS + MS_OF_DAY + COUNTS
