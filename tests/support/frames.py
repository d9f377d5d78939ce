"""This module has the same bars in every format that a file may have."""

import bz2
import gzip
import io
import lzma
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns
from tests.support.packers import zipped, zstd
from tests.support.tables import CONFIG

BY_COLUMN = CONFIG._replace(columns=Columns(symbol=SymbolFrom("symbol")))


BY_FILE = CONFIG._replace(columns=Columns(symbol=SymbolFrom(filename=True)))


START = datetime(2024, 2, 28, 23, 50)


# Ties, quarters and eighths: a float32 holds every one of them.
CELLS = [
    "100.5",
    "100.25",
    "100.25",
    "100.25",
    "-7.125",
    "0",
    "3",
    "3.5",
    "2.5",
    "3",
    "1e2",
    "99.75",
]


TIMES = [START + timedelta(minutes=row) for row in range(len(CELLS))]


def csv(end: str = "\n", comma: str = ",", form: str = "%Y-%m-%d %H:%M:%S") -> bytes:
    rows = [["timestamp", "open", "close"]]
    rows += [[at.strftime(form), "1", cell] for at, cell in zip(TIMES, CELLS, strict=True)]
    return "".join(comma.join(row) + end for row in rows).encode()


def ndjson(close: str = "{}", end: str = "\n", form: str = '"%Y-%m-%d %H:%M:%S"') -> bytes:
    rows = [(at.strftime(form), close.format(cell)) for at, cell in zip(TIMES, CELLS, strict=True)]
    lines = [f'{{"timestamp":{at},"open":1,"close":{cell}}}{end}' for at, cell in rows]
    return "".join(lines).encode()


def document(close: str = "{}") -> bytes:
    """Write the rows as an array of objects."""
    return b"[" + b",\n".join(ndjson(close=close).splitlines()) + b"]\n"


TEXTS: dict[str, bytes] = {
    "csv": csv(),
    "csv with CRLF": csv(end="\r\n"),
    "csv in UTF-16": csv().decode().encode("utf-16"),
    "csv in quotes": b'"' + csv().replace(b",", b'","').replace(b"\n", b'"\n"')[:-1],
    "tsv": csv(comma="\t"),
    "semicolons": csv(comma=";"),
    "ISO with T": csv(form="%Y-%m-%dT%H:%M:%S"),
    "ISO with zone": csv(form="%Y-%m-%dT%H:%M:%SZ"),
    "ISO with nanoseconds": csv(form="%Y-%m-%d %H:%M:%S.000000000"),
    "gz": gzip.compress(csv()),
    "gz of two members": gzip.compress(csv()[:99]) + gzip.compress(csv()[99:]),
    "bz2": bz2.compress(csv()),
    "xz": lzma.compress(csv()),
    "zst": zstd(csv()),
    "zst of two frames": zstd(csv()[:99]) + zstd(csv()[99:]),
    "zip": zipped(csv()),
    "tsv in gz": gzip.compress(csv(comma="\t", end="\r\n")),
    "ndjson": ndjson(),
    "ndjson with strings": ndjson(close='"{}"'),
    "ndjson with CRLF and blank lines": ndjson(end="\r\n\r\n"),
    "ndjson with blanks": ndjson().replace(b'":', b'" : ').replace(b",", b" ,\t"),
    "ndjson with ISO and zone": ndjson(form='"%Y-%m-%dT%H:%M:%SZ"'),
    "ndjson in UTF-16": ndjson().decode().encode("utf-16"),
    "ndjson in gz": gzip.compress(ndjson()),
    "ndjson in zst": zstd(ndjson()),
    "ndjson in zip": zipped(ndjson()),
    "json": document(),
    "json with strings, inside an object": b'{"n": 1, "data": {"bars": %s}}' % document('"{}"'),
    "json in UTF-16": document().decode().encode("utf-16"),
    "json in zst": zstd(document()),
    "json in zip": zipped(document()),
}


def frame(closes: Any, stamps: pl.Expr | None = None) -> pl.DataFrame:
    table = pl.DataFrame({"timestamp": TIMES, "open": 1, "close": closes})
    return table if stamps is None else table.with_columns(stamps)


stamp = pl.col("timestamp")


DECIMALS = [Decimal(cell) for cell in CELLS]


DOUBLES = list(map(float, CELLS))


FRAMES: dict[str, pl.DataFrame] = {
    "float64": frame(DOUBLES),
    "float32": frame(pl.Series(DOUBLES, dtype=pl.Float32)),
    "decimal": frame(pl.Series(DECIMALS, dtype=pl.Decimal(20, 3))),
    "decimal of many places": frame(pl.Series(DECIMALS, dtype=pl.Decimal(38, 15))),
    "decimal beyond int64": frame(pl.Series(DECIMALS, dtype=pl.Decimal(38, 30))),
    "string": frame(CELLS),
    "categories": frame(DOUBLES, stamp.cast(pl.String).cast(pl.Categorical)),
    "milliseconds": frame(DOUBLES, stamp.dt.cast_time_unit("ms")),
    "nanoseconds": frame(DOUBLES, stamp.dt.cast_time_unit("ns")),
    "a zone": frame(DOUBLES, stamp.dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")),
    "timestamps as strings": frame(DOUBLES, stamp.dt.to_string("%Y-%m-%d %H:%M:%S")),
    "timestamps as epochs": frame(DOUBLES, stamp.dt.epoch("ms")),
    "strings everywhere": frame(CELLS, stamp.dt.to_string("iso")),
    "columns reordered": frame(DOUBLES).select("close", "open", "timestamp"),
}


def parquet(table: pl.DataFrame, **options: Any) -> bytes:
    file = io.BytesIO()
    table.write_parquet(file, **options)
    return file.getvalue()


def arrow(table: pl.DataFrame, **options: Any) -> bytes:
    file = io.BytesIO()
    table.write_ipc(file, **options)
    return file.getvalue()
