"""This module holds the hints about symbols, zones and tables, and every way to follow them."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import polars as pl

from tests.support.hints import Files, Night, Row, Way
from tests.support.hints_of_bars import (
    BOTH,
    DAYS,
    IN_TURN,
    OTHERS,
    UNTIMED,
    UP,
    C,
    each,
    objects,
    panel,
    table,
)
from tests.support.hints_of_files import PARQUET

ONE = "columns: {symbol: none}\n"
STATE = ["--state=s.state"]
PAIRS = panel(IN_TURN, "pair,date,close")
PAIR_IN_TURN = Way(BOTH, config="columns: {symbol: pair}\n")


def labelled(head: str, labels: str) -> str:
    """Write the rows of one series with columns of labels before the date."""
    rows = (f"{labels},{day},{close}" for day, close in zip(DAYS, C, strict=True))
    return "\n".join([head, *rows]) + "\n"


def part(*places: int) -> str:
    return panel([("A", at) for at in places], "symbol,date,close")


UNNAMED = table(C[:3])
# The first field may be an index without a name, or the close.
ENDED = "".join(f"{one},{other},\n" for one, other in zip(*BOTH, strict=True))
PARTS = "".join(
    f"{name},{day},{close}\n" for name, day, close in zip("AABBCC", DAYS, C, strict=True)
)
UNEVEN = objects(C).replace('{"date": "2024-01-05"', '{"ticker": "A", "date": "2024-01-05"')

HIDDEN = table(C, DAYS, "date,close,symbol").replace("\n", ",A\n").replace("symbol,A", "symbol")
SYMBOLS = [
    Row("(remove that sign)", each(HIDDEN.replace("11,A", "11,A\u00a0")), [
        Way([C], each(HIDDEN)), Way([C], config=ONE),
    ]),
    Row("if each … is a series, or {symbol: none} if all", each(PAIRS), [
        PAIR_IN_TURN, Way(None, config=ONE),
    ]),
    Row("if each … is a series, or {symbol: none} if all", each("contract,date,close\n" + PARTS), [
        Way([C], config=ONE), Way(None, config="columns: {symbol: contract}\n"),
    ]),
    Row("if all bars are one series, …", each(table(C, DAYS, "date,close,symbol").replace(
        "\n", ",A\n").replace("symbol,A", "symbol").replace("13,A", "13,")), [
            Way([C], config=ONE),
    ]),
    Row("say which (set columns", each(labelled("ticker,isin,date,close", "A,US1")), [
        *(Way([C], config=f"columns: {{symbol: {name}}}\n") for name in ("ticker", "isin", "none")),
    ]),
    Row(" (set columns: {symbol: none} if all bars are one series)", {"b.json": UNEVEN}, [
        Way([C], config=ONE),
    ]),
    Row("set columns: {symbol: none} if all bars are one series", {"symbol=/b.csv": UP}, [
        Way([C], config=ONE),
    ]),
    Row("else give all of them symbols", {"a.csv": UNNAMED, "b.csv": part(3, 4, 5)}, [
        Way([C], config=ONE), Way([C], {"a.csv": part(0, 1, 2)}),
    ]),
    Row("if the first field is an index, give it a name", each("close,volume\n" + ENDED), [
        Way([OTHERS], each("index,close,volume\n" + ENDED), UNTIMED),
        Way([C], each("close,volume\n" + ENDED.replace(",\n", "\n")), UNTIMED),
    ], config=UNTIMED),
]  # fmt: skip

ZONED = [f"2024-01-01T09:3{minute}:00-05:00" for minute in range(6)]
LOCAL = [stamp[:-6] for stamp in ZONED]
UTC = [f"2024-01-01T14:3{minute}:00Z" for minute in range(6)]
MISFIT = {"a.csv": table(C[:3], ZONED), "b.csv": table(C[3:], LOCAL[3:])}

IN_NEW_YORK = "timezone: America/New_York\n"
NIGHT = [f"2024-11-03 0{clock}" for clock in ("0:30", "1:00", "1:30", "1:00", "1:30", "2:00")]
WITH_OFFSETS = [
    f"{time}-0{hours}:00" for time, hours in zip(NIGHT, (4, 4, 4, 5, 5, 5), strict=True)
]
ONCE = [f"2024-11-03 0{clock}" for clock in ("0:10", "0:30", "1:00", "1:30", "2:00", "2:30")]
ONCE_WITH_OFFSETS = [f"{time}-0{4 + (row > 2)}:00" for row, time in enumerate(ONCE)]
SPRING = [f"2024-03-10 0{clock}" for clock in ("0:30", "1:00", "1:30", "2:30", "3:00", "3:30")]
LOCAL_ROWS = [
    Row("write the offset into every time", each(table(C, ONCE)), [
        Way([C], each(table(C, ONCE_WITH_OFFSETS))), Way([C], each(table(C, WITH_OFFSETS))),
    ], config=IN_NEW_YORK),
    Row("without sort: true, and with checks: {order: error}", each(table(C, NIGHT)), [
        Way([C], config=IN_NEW_YORK),
    ], config=IN_NEW_YORK + "sort: true\n"),
    Row("correct it, or the setting timezone", each(table(C, SPRING)), [
        Way([C], each(table(C, [at.replace("02:30", "01:59") for at in SPRING]))),
        Way([C], config="timezone: America/Chicago\n".replace("Chicago", "Phoenix")),
        Way(None, config="timezone: America/Chicago\n"),
    ], config=IN_NEW_YORK),
    Row("write a place such as America/New_York, or an offset", each(UP), [
        Way([C], config=IN_NEW_YORK), Way([C], config="timezone: -05:00\n"),
    ], config="timezone: EST\n"),
]  # fmt: skip

ZONES = [
    Row("write the zone of each time into …", MISFIT, [
        Way([C], {"b.csv": table(C[3:], ZONED[3:])}), Way([C], {"b.csv": table(C[3:], UTC[3:])}),
    ]),
]  # fmt: skip


def parquet(rows: slice) -> bytes:
    file = io.BytesIO()
    closes = list(map(float, C[rows]))
    pl.DataFrame({"date": DAYS[rows], "close": closes}).write_parquet(file)
    return file.getvalue()


def log(*actions: Mapping[str, object]) -> str:
    return "".join(json.dumps(action) + "\n" for action in actions)


def delta(folder: str, reader: int = 1, **settings: str) -> Files:
    """Write a Delta table of two files, whose rows are in the other order than their names."""
    mapped = "delta.columnMapping."
    fields = [
        {
            "name": name,
            "type": kind,
            "nullable": True,
            "metadata": {f"{mapped}id": number, f"{mapped}physicalName": name},
        }
        for number, (name, kind) in enumerate({"date": "string", "close": "double"}.items())
    ]
    meta = {"id": "t", "format": {"provider": "parquet", "options": {}}, "partitionColumns": []}
    meta["schemaString"] = json.dumps({"type": "struct", "fields": fields})
    parts = {"a.parquet": parquet(slice(3, 6)), "b.parquet": parquet(slice(3))}
    added = [{"add": {"path": name, "size": len(data), "partitionValues": {}, "dataChange": True,
                      "modificationTime": 0}} for name, data in parts.items()]  # fmt: skip
    protocol = {"minReaderVersion": reader, "minWriterVersion": 5}
    first = log({"protocol": protocol}, {"metaData": meta | {"configuration": settings}}, *added)
    return {f"{folder}/_delta_log/{0:020}.json": first} | {
        f"{folder}/{name}": data for name, data in parts.items()
    }


UNTESTED = "checks: {order: off, duplicates: off}\n"
GONE = log({"remove": {"path": "a.parquet", "deletionTimestamp": 0, "dataChange": True}})
SMALLER: Files = {f"t/_delta_log/{1:020}.json": GONE}
ALONE = Way([C], {"one.parquet": PARQUET}, inputs=["one.parquet"])
EXPORT = "write its bars to one file with …, and read that"
TABLES = [
    Row(EXPORT, {"t/.hoodie/hoodie.properties": "", "t/b.parquet": PARQUET}, [ALONE],
        inputs=["t/b.parquet"]),
    Row(EXPORT, {"t/metadata/v1.metadata.json": "{}", "t/data/b.parquet": PARQUET}, [ALONE],
        inputs=["t/data/b.parquet"]),
    *(Row(hint, delta("t"), [Way([C], inputs=["t"]), ALONE], inputs=["t/b.parquet"])
      for hint in (EXPORT, "name the folder of the table")),
    Row("with polars.scan_delta", delta("t", 2, **{"delta.columnMapping.mode": "name"}), [ALONE],
        inputs=["t"]),
    Row("below a name with %; rename it", delta("t%20"), [Way([C], delta("u"), inputs=["u"])],
        inputs=["t%20"]),
    Row("or write the bars to one file", delta("t"), [
        Way([C], config="columns: {timestamp: date}\nchecks: {order: error}\n"),
        Way([C], {"one.parquet": PARQUET}, inputs=["one.parquet"]),
    ], config=UNTESTED, inputs=["t"]),
    Row("start again with another state file", SMALLER, [
        Way([C[:3]], flags=["--state=new.state"]),
    ], flags=STATE, nights=[Night(delta("t"))], inputs=["t"]),
]  # fmt: skip

ROWS = [*SYMBOLS, *LOCAL_ROWS, *ZONES, *TABLES]
