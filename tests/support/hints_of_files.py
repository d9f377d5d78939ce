"""This module holds the hints about headers, objects and files, and every way to follow them."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import polars as pl

from tests.support.hints import Row, Way
from tests.support.hints_of_bars import (
    BARS,
    BOTH,
    DAYS,
    FROM_NAMES,
    OTHERS,
    UNTIMED,
    UP,
    C,
    each,
    good,
    objects,
    table,
)

PLAIN_ROWS = "".join(f"{day},{close}\n" for day, close in zip(DAYS, C, strict=True))
SPLIT = "close,a;close\n"
SPLIT_ROWS = "".join(f"{one},x;{other}\n" for one, other in zip(*BOTH, strict=True))

HEADERS = [
    *(Row(hint, each(PLAIN_ROWS), [
        good(each("timestamp,close\n" + PLAIN_ROWS)),
        Way(None, config='columns: {close: "10"}\n'),
        Way(None, config='columns: {close: "10", timestamp: "2024-01-01"}\n'),
    ]) for hint in ("if this is a bar, and no header", "add a line with the names of the columns")),
    Row("if this is a bar, and no header", each("".join(f"{close},7\n" for close in C)), [
        Way(None, each("timestamp,close\n" + "".join(f"{close},7\n" for close in C))),
    ]),
    Row("name yours in the config under columns", each(table(C, head="date,price")), [
        Way([C], config="columns: {close: price}\n"),
    ]),
    Row("did you mean …?", each(table(C, head="date,closed")), [
        Way([C], config="columns: {close: closed}\n"),
    ]),
    Row("if these are the closes, set columns: …", each(table(C, head="date,Last Price")), [
        Way([C], config="columns: {close: Last Price}\n"),
    ]),
    Row("or write the place of the right one under columns", each("date,close,close\n" + "".join(
        f"{day},{close},{other}\n" for day, close, other in zip(DAYS, C, OTHERS, strict=True))), [
        Way([C], config="columns: {close: 2}\n"), Way([OTHERS], config="columns: {close: 3}\n"),
    ]),
    Row("put sep= and the delimiter", each(SPLIT + SPLIT_ROWS), [
        Way([C], each("sep=,\n" + SPLIT + SPLIT_ROWS)),
        Way([OTHERS], each("sep=;\n" + SPLIT + SPLIT_ROWS)),
    ]),
    Row("or name one of … in the config under columns", each(table(C, head="Close,close")), [
        Way(None, config="columns: {close: Close}\n"), Way([C], config="columns: {close: close}\n"),
    ]),
    Row("keep one…", each("date,close,close\n" + "".join(
        f"{day},{close},7\n" for day, close in zip(DAYS, C, strict=True))), [good(each(UP))]),
    Row("but a column is called none", each(table(C, head="none,close")), [
        Way([C], config="columns: {timestamp: NONE}\n"),
        Way([C], each(table(C, head="date,close"))),
    ], config=UNTIMED),
    Row("is only in the path, where all rows", {"day=1/a.csv": table(C, head="time,close")}, [
        Way([C], config="columns: {timestamp: time}\n"),
        Way([C], config="columns: {timestamp: null}\n"),
    ], config="columns: {timestamp: day}\n"),
]  # fmt: skip

ROWS_OF_C = [{"date": day, "close": close} for day, close in zip(DAYS, C, strict=True)]
ROWS_OF_OTHERS = [row | {"close": close} for row, close in zip(ROWS_OF_C, OTHERS, strict=True)]
ARRAY = json.dumps(ROWS_OF_C)
PRETTY = '{\n"bars": ' + ARRAY + "}"
ON_LINES = objects(C).replace(", ", ",\n")
PAIRS = [[day, close] for day, close in zip(DAYS, C, strict=True)]
TIMES = {day: {"close": close} for day, close in zip(DAYS, C, strict=True)}
TWO = json.dumps({"a": ROWS_OF_C, "b": ROWS_OF_OTHERS})
TWO_PAIRS = json.dumps({"a": PAIRS, "b": [[day, c] for day, c in zip(DAYS, OTHERS, strict=True)]})
INSIDE = json.dumps({"close": OTHERS, "a": ROWS_OF_C})
LATE = [[f"{1704067200 + 60 * row}", str(row % 9)] for row in range(40_000)]
LATE_CELLS = [close for _, close in LATE]


def document(**members: object) -> dict[str, str | bytes | None]:
    return {"b.json": json.dumps(members)}


def late(symbol: str) -> str:
    rows = ",".join(f'{{"t":{stamp},"close":{close}}}' for stamp, close in LATE)
    return f'{{"bars":[{rows}],"symbol":"{symbol}"}}'


DOCUMENTS = [
    *(Row("with the places of both in place of T and C", files, [
        Way([C], config="columns: {timestamp: 1, close: 2}\n"),
        Way(None, config="columns: {timestamp: T, close: C}\n"),
        Way(None, config="columns: {timestamp: 1, close: 3}\n"),
    ]) for files in ({"b.json": json.dumps(PAIRS)}, document(n=1, bars=PAIRS))),
    Row("each be the bars (set table:", {"b.json": TWO}, [
        Way([C], config="table: {records: a}\n"), Way([OTHERS], config="table: {records: b}\n"),
        Way([C, OTHERS], config="columns: {symbol: {from: key}}\n"),
    ]),
    Row("each be the bars (set table:", {"b.json": f'{{"bars": {TWO}}}'}, [
        Way([C], config="table: {records: bars.a}\n"),
        Way([C, OTHERS], config="columns: {symbol: {from: key}}\ntable: {records: bars}\n"),
    ]),
    Row("for those, or use --format ndjson", document(date="2024-01-01", close=9, a=ROWS_OF_C), [
        Way([C], config="table: {records: a}\n"), Way(None, flags=["--format=ndjson"]),
    ]),
    Row("for that part", {"b.json": INSIDE}, [Way([C], config="table: {records: a}\n")]),
    Row("the bars may be at several places", {"b.json": TWO_PAIRS}, [
        Way(None, config="table: {records: a}\n"),
        Way([C], config="table: {records: a}\ncolumns: {timestamp: 1, close: 2}\n"),
        Way([OTHERS], config="table: {records: b}\ncolumns: {timestamp: 1, close: 2}\n"),
    ]),
    Row("to have them found", document(bars=ROWS_OF_C), [
        Way([C], config="table: {records: null}\n"),
    ], config="table: {records: candles}\n"),
    Row("name the column as it is here", {"b.json": ARRAY}, [
        Way([C], config="columns: {close: close}\n"), Way(None, config='columns: {close: "2"}\n'),
    ], config="columns: {close: 2}\n"),
    Row("name the column as it is here", {"b.json": ARRAY.replace("close", "2")}, [
        Way([C], config='columns: {close: "2"}\n'),
    ], config="columns: {close: 2}\n"),
    Row("(name their column: …)", document(bars=ROWS_OF_C), [
        Way([C], config="columns: {close: close}\n"), Way(None, config="columns: {close: date}\n"),
    ], config="columns: {close: 2}\n"),
    Row("set columns: {symbol: none} if all bars are one series, or", {"b.json": late("A")}, [
        Way([LATE_CELLS], config="columns: {symbol: none}\n"), Way([LATE_CELLS], config=FROM_NAMES),
    ]),
    Row("the document ends in the middle", {"b.json": json.dumps(TIMES)[:-9]}, [
        Way([C], {"b.json": json.dumps(TIMES)}),
    ]),
    Row("write one object a line, or all of them into one array", {"b.json": ON_LINES}, [
        Way([C], {"b.json": objects(C)}), Way([C], {"b.json": ARRAY}),
    ]),
    Row("if it is one bar as an object, use --format ndjson", document(name="x", tags=["a"]), [
        Way(None, flags=["--format=ndjson"]), Way([C], {"b.json": ARRAY}),
    ]),
    Row("if this is a text table: --format csv", {"b.csv": UP}, [
        Way([C], flags=["--format=csv"]),
    ], flags=["--format=json"]),
    Row("for a column of this name write …", each(table(C, head="date,0")), [
        Way([C], config='columns: {close: "0"}\n'),
    ], config="columns: {close: 0}\n"),
]  # fmt: skip

JSON = [
    Row("but an array (write one object", {"b.ndjson": objects(C) + ARRAY}, [
        Way([C], {"b.ndjson": objects(C)}), Way([C], {"b.ndjson": ARRAY}),
    ]),
    Row("the object does not end on its line", {"b.ndjson": ON_LINES}, [
        Way([C], {"b.ndjson": objects(C)}), Way(None, flags=["--format=json"]),
    ]),
    Row("if the file is one JSON document: --format json", {"b.ndjson": PRETTY}, [
        Way([C], flags=["--format=json"]),
    ]),
    Row("appears twice in one object", {"b.json": objects(C).replace("{", '{"close": 1, ')}, [
        Way([C], {"b.json": objects(C)}),
    ]),
    Row("if this is a text table: --format csv", {"b.ndjson": UP}, [
        Way([C], flags=["--format=csv"]),
    ]),
]  # fmt: skip


def is_packed(data: str) -> bytes:
    return gzip.compress(data.encode())


def zipped(data: str, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names or [BARS]:
            archive.writestr(name, data)
    return file.getvalue()


def parquet() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"date": DAYS, "close": list(map(float, C))}).write_parquet(file)
    return file.getvalue()


PARQUET = parquet()
OTHER_KINDS = {
    "export it as CSV or Parquet": b"\x89HDF",
    "write it again as version 2": b"FEA1\0",
    "decrypt it": b"PARE",
    "unpack it": b"7z\xbc\xaf",
    "unpack it, or compress it": b"\x04\x22\x4d\x18",
    "git lfs pull": b"version https://git-lfs.github.com/",
}


FILES = [
    Row("name it once", each(UP), [Way([C], inputs=[BARS])], inputs=[BARS, f"./{BARS}"]),
    Row("if two archives are in one file", {"b.zip": zipped(UP) * 2}, [
        Way([C], {"b.zip": zipped(UP)}),
    ]),
    Row("it is …; save the sheet", {"b.xlsx": zipped(UP, "[Content_Types].xml")}, [
        Way([C], {"b.xlsx": None, BARS: UP}),
    ]),
    Row("it is a document of OpenOffice", {"b.ods": zipped(UP, "mimetype", "content.xml")}, [
        Way([C], {"b.ods": None, BARS: UP}),
    ]),
    Row("it is an archive of NumPy arrays", {"b.npz": zipped(UP, "a.npy")}, [
        Way([C], {"b.npz": None, BARS: UP}), Way([C], {"b.npz": None, "b.parquet": PARQUET}),
    ]),
    *(Row(hint, {"b.bin": magic + b"0" * 600}, [
        Way([C], {"b.bin": None, BARS: UP}), Way([C], {"b.bin": None, "b.parquet": PARQUET}),
    ]) for hint, magic in OTHER_KINDS.items()),
    Row("write it to a plain file first", {"b.parquet.gz": gzip.compress(PARQUET)}, [
        Way([C], {"b.parquet.gz": None, "b.parquet": PARQUET}),
    ]),
    Row("unpack it once", {"b.csv.gz": gzip.compress(is_packed(UP))}, [
        Way([C], {"b.csv.gz": is_packed(UP)}),
    ]),
    Row("it may be the error page", each("<!DOCTYPE html><html></html>"), [good(each(UP))]),
    Row("name the file itself", {BARS: UP, "bars.md5": "0" * 32 + "  bars.csv\n"}, [
        Way([C], inputs=[BARS]),
    ], inputs=["bars.md5"]),
    Row("looked for in the working directory", each(UP), [Way([C], inputs=[BARS])],
        inputs=["elsewhere.csv"]),
]  # fmt: skip

ROWS = [*HEADERS, *DOCUMENTS, *JSON, *FILES]
