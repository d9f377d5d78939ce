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

ARRAY = json.dumps([{"date": day, "close": close} for day, close in zip(DAYS, C, strict=True)])
PAIRS = [[day, close] for day, close in zip(DAYS, C, strict=True)]
JSON = [
    Row("but an array (write one object", {"b.json": ARRAY}, [
        Way([C], {"b.json": objects(C)}),
    ]),
    *(Row("but an array without names", {"b.json": text}, [
        Way([C], {"b.json": objects(C)}),
        # As jq -c '.[]' would write them.
        Way(None, {"b.json": "".join(json.dumps(pair) + "\n" for pair in PAIRS)}),
        Way(None, {"b.json": "".join(f'"{day}"\n{close}\n' for day, close in PAIRS)}),
    ]) for text in (json.dumps(PAIRS), "".join(json.dumps(pair) + "\n" for pair in PAIRS))),
    Row("the object does not end on its line", {"b.json": objects(C).replace(", ", ",\n")}, [
        Way([C], {"b.json": objects(C)}),
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
    Row("save the sheet as CSV", {"b.xls": b"\xd0\xcf\x11\xe0" + b"0" * 600}, [
        Way([C], {"b.xls": None, BARS: UP}),
    ]),
    Row("it is a workbook", {"b.xlsx": zipped(UP, "[Content_Types].xml")}, [
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

ROWS = [*HEADERS, *JSON, *FILES]
