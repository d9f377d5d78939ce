"""This module holds the hints about bars: what provokes each, and every way to follow it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from tests.support.hints import Row, Way

C = ["10", "11", "12", "13", "14", "15"]
DOWN = C[::-1]
OTHERS = ["9", "8", "7", "6", "5", "4"]
DAYS = [str(date(2024, 1, 1) + timedelta(row)) for row in range(6)]
BOTH = [C, OTHERS]
FROM_NAMES = "columns: {symbol: {from: filename}}\n"
UNTIMED = "columns: {timestamp: none}\n"


def table(
    closes: Sequence[str], stamps: Sequence[str] = DAYS, head: str = "date,close", end: str = "\n"
) -> str:
    rows = [",".join(row) for row in zip(stamps, closes, strict=False)]
    return "\n".join([head, *rows]) + end


def panel(order: Sequence[tuple[str, int]], head: str = "desk,date,close") -> str:
    """Write rows of two series, A and B, in an order."""
    closes = dict(zip("AB", BOTH, strict=True))
    return "\n".join([head, *(f"{s},{DAYS[at]},{closes[s][at]}" for s, at in order)]) + "\n"


def objects(closes: Sequence[str]) -> str:
    rows = zip(DAYS, closes, strict=True)
    return "".join(json.dumps({"date": day, "close": close}) + "\n" for day, close in rows)


def stamp(text: str) -> str:
    """Set how timestamps are written."""
    return f"timestamp_format: {text}\n"


IN_TURN = [(s, at) for at in range(6) for s in "AB"]
BY_SERIES = [(s, at) for s in "AB" for at in range(6)]
NAMED = "columns: {symbol: desk}\n"
IN_TURN_AT_VENUES, BY_VENUE = (
    panel(order, "venue,date,close").replace("\n", ",X\n").replace("close,X", "close,desk")
    for order in (IN_TURN, BY_SERIES)
)
ON_VENUES = "columns: {symbol: [venue, desk]}\n"
BARS = "bars.csv"
UP = table(C)
NEWEST = "order: newest_first\n"
# Neither oldest nor newest first.
MIXED, MIXED_DAYS = [*DOWN[:2], *C[:4]], [*DAYS[:3:-1], *DAYS[:4]]


def each(text: str) -> dict[str, str | bytes | None]:
    return {BARS: text}


def good(files: dict[str, str | bytes | None], closes: Sequence[str | None] = C) -> Way:
    return Way([closes], files)


# No two steps are alike.
SLOWER = [str(datetime(2024, 1, 1) + timedelta(seconds=row * row)) for row in range(1100)]
WAVES = [str(100 + row % 7) for row in range(1100)]

AUTUMN = [f"2024-11-03 {time}" for time in ("00:30", "01:07", "01:43", "01:02", "01:21", "02:10")]
# Of a clock of 12 hours.
NOON = [f"2024-01-02 {hour}:30" for hour in ("10", "11", "12", "01", "02", "03")]

ORDER = [
    *(Row(hint, each(table(DOWN, DAYS[::-1])), [
        Way([C], config="order: newest_first\n"), Way([C], config="sort: true\n"),
        Way(None, config=NAMED),
    ]) for hint in ("those of a place; for several", "if each file stands so")),
    Row("those of a place; for several", each(table(MIXED, MIXED_DAYS)), [
        Way(None, config="order: newest_first\n"), Way([C], config="sort: true\n"),
    ]),
    # The clocks of New York go back: sorted as they are, the bars of two hours would be mixed.
    Row("else sort: true if all times are right, with timezone", each(table(C, AUTUMN)), [
        Way(None, config="sort: true\ntimezone: America/New_York\n"),
        Way([C], config="timezone: America/New_York\n"),
    ]),
    # Sorted as they are, one o'clock would stand before eleven.
    Row("else sort: true if all times are right, with timezone", each(table(C, NOON)), [
        Way(None, config="order: newest_first\n"),
        Way([C], each(table(C, [f"{NOON[at]} {half}M" for at, half in enumerate("AAPPPP")]))),
    ]),
    Row("those of a place; for several", each(panel(BY_SERIES)), [
        Way(BOTH, config=NAMED), Way(None, config="order: newest_first\n"),
    ]),
    Row("set order: newest_first if each file stands so, else sort: true if all times",
        {"A.csv": table(DOWN, DAYS[::-1])}, [
            Way([C], config=FROM_NAMES + "order: newest_first\n"),
            Way([C], config=FROM_NAMES + "sort: true\n"),
    ], config=FROM_NAMES),
    Row("set order: newest_first if each file stands so, else sort: true if all times",
        each(panel(IN_TURN[::-1])), [
            Way(BOTH, config=NAMED + "order: newest_first\n"),
            Way(BOTH, config=NAMED + "sort: true\n"),
    ], config=NAMED),
    Row("set sort: true in place of order: newest_first", {"A.csv": table(MIXED, MIXED_DAYS)}, [
        Way([C], config=FROM_NAMES + "sort: true\n"),
    ], config=FROM_NAMES + NEWEST),
    Row("for one series set sort: true in place of order", each(table(MIXED, MIXED_DAYS)), [
        Way([C], config="sort: true\n"), Way(None, config=NAMED),
    ], config=NEWEST),
    Row("for one series set sort: true in place of order", each(panel(BY_SERIES[::-1])), [
        Way(BOTH, config=NAMED + NEWEST),
    ], config=NEWEST),
    Row("set order: oldest_first if all files stand so", each(UP), [
        Way([C], config="order: oldest_first\n"), Way([C], config="sort: true\n"),
    ], config=NEWEST),
    Row("set order: oldest_first if all files stand so",
        {"a.csv": table(C[:3]), "b.csv": table(DOWN[:3], DAYS[:2:-1])}, [
            Way(None, config="order: oldest_first\n"), Way([C], config="sort: true\n"),
    ], config=NEWEST),
    Row("or leave out order", each("close\n" + "\n".join(C) + "\n"), [
        Way([C], config=""), Way(None, config="columns: {timestamp: date}\n" + NEWEST),
    ], config=NEWEST),
    Row("(leave out order)", each(table(DOWN, DAYS[::-1])), [Way([C], config="sort: true\n")],
        config="sort: true\n" + NEWEST),
    Row("only times show the order (leave out order)", each(UP), [Way([C], config=UNTIMED)],
        config=UNTIMED + NEWEST),
    Row("checks.order is … (set checks: {order: error})", each(table(DOWN, DAYS[::-1])), [
        Way([C], config="checks: {order: error}\n" + NEWEST),
    ], config="checks: {order: warn}\n" + NEWEST),
    Row("keep one of the rows, or set duplicates",
        {"A.csv": table([*C, "15"], [*DAYS, DAYS[-1]])}, [
            Way([C], {"A.csv": UP}), Way([C], config=FROM_NAMES + "duplicates: same\n"),
            Way([C], config=FROM_NAMES + "duplicates: last\n"),
    ], config=FROM_NAMES),
    Row("keep one of the rows, or set duplicates",
        {"A.csv": table([*C[:5], "9", "15"], [*DAYS, DAYS[-1]])}, [
            Way([C], {"A.csv": UP}), Way(None, config=FROM_NAMES + "duplicates: same\n"),
            Way([C], config=FROM_NAMES + "duplicates: last\n"),
    ], config=FROM_NAMES),
    # One pair on two exchanges: as one series, one of two bars would be left out.
    Row("if they are of several series, set columns", each(IN_TURN_AT_VENUES), [
        Way(BOTH, config=ON_VENUES),
    ], config=NAMED),
    Row("if they are of several series, set columns",
        each(BY_VENUE), [
            Way(BOTH, config=ON_VENUES),
    ], config=NAMED),
    Row("or columns: {timestamp: [DATE, TIME]} if times of day have", each(
        "date,minute,close\n" + "".join(f"2024-01-02,09:3{m},{c}\n" for m, c in enumerate(C))), [
            Way([C], config="columns: {timestamp: [date, minute]}\n"),
            Way(None, config="duplicates: same\n"),
    ]),
    Row("or set duplicates: keep", each("close\n" + "\n".join(C) + "\n"), [
        Way([C], config="duplicates: keep\n"),
        Way(None, config="columns: {timestamp: date}\nduplicates: same\n"),
    ], config="duplicates: same\n"),
    Row("(set checks: {ohlc: off})", each(UP), [
        Way([C], config="sort: true\nduplicates: same\nchecks: {ohlc: off}\n"),
    ], config="sort: true\nduplicates: same\nchecks: {ohlc: warn}\n"),
    Row("for one series keep one of the rows", each(table([*C, "15"], [*DAYS, DAYS[-1]])), [
        good(each(UP)), Way(None, config=NAMED), Way([C], config="duplicates: same\n"),
        Way([C], config="duplicates: last\n"),
    ]),
    Row("for one series keep one of the rows", each(panel(IN_TURN)), [Way(BOTH, config=NAMED)]),
    Row("for one series keep one of the rows", each(table([*C, "15"], [*DAYS, DAYS[-1]])), [
        good(each(UP)),
    ], config="sort: true\n"),
    *(Row(hint, {"a.csv": UP, "b.csv": table(OTHERS)}, [
        Way(BOTH, config=FROM_NAMES),
        Way(None, config="sort: true\n"),
        Way([C], {"b.csv": table([], [])}, config="sort: true\n"),
        Way(None, config="sort: true\nduplicates: same\n"),
    ]) for hint in ("if each file is of a symbol", "if they are of one series", "do they overlap")),
    Row("if they are of one series", {"a.csv": table(C[:4]), "b.csv": table(C[2:], DAYS[2:])}, [
        Way(None, config="sort: true\n"), Way([C], config="sort: true\nduplicates: same\n"),
    ]),
    Row("if they are of one series",
        {"a.csv": table(C[::2], DAYS[::2]), "b.csv": table(C[1::2], DAYS[1::2])}, [
            Way([C], config="sort: true\n"),
    ]),
    Row("name its column in the config (columns: {timestamp: NAME}), or give it",
        {"a.csv": table(C[:3]), "b.csv": "close\n13\n14\n15\n"}, [
            Way(None, config="columns: {timestamp: date}\n"),
            Way([C], {"b.csv": table(C[3:], DAYS[3:])}),
    ]),
    Row("if there is none, set columns",
        {"a.csv": "close\n10\n11\n12\n", "b.csv": "close\n3\n2\n1\n"}, [
        Way([C[:3], ["3", "2", "1"]], config=FROM_NAMES),
        Way([[*C[:3], "3", "2", "1"]], config=UNTIMED),
        Way(None, config="columns: {timestamp: date}\n"),
    ]),
    Row("or set sort: false if the rows are oldest first", each("close\n" + "\n".join(C) + "\n"), [
        Way([C], config="sort: false\n"),
        Way(None, config="columns: {timestamp: date}\nsort: true\n"),
    ], config="sort: true\n"),
    Row("set sort: false", each(table(C, [*DAYS[:5], "3000-01-01"])), [
        Way([C], config="sort: false\n"),
    ], config="sort: true\n"),
    Row("not within the years 1678 to 2261", each(table(DOWN, ["3000-01-01", *DAYS[4::-1]])), [
        Way(None, config="sort: false\n"),
    ], config="sort: true\n"),
    Row("(set checks: {gaps: warn})", each(table(C, [*DAYS[:2], *DAYS[3:], "2024-01-09"])), [
        Way([C], config="checks: {gaps: warn}\n"),
    ], config="checks: {gaps: error}\n"),
    Row("set engine: local", each(UP), [
        Way([C], config="engine: local\nduplicates: same\n"),
    ], config="engine: spark\nduplicates: same\n"),
    Row("(set checks: {gaps: off})", each(table(WAVES, SLOWER)), [
        Way([WAVES], config="checks: {gaps: off}\n"),
    ], config="checks: {gaps: error}\n"),
]  # fmt: skip

CLOSES = [
    Row("set missing: skip", each(table([*C[:4], "", "15"])), [
        Way([[*C[:4], "15"]], config="missing: skip\n"),
        Way([[*C[:4], None, "15"]], config="missing: gap\n"),
    ]),
    Row("if it means that there is no close", each(table([*C[:4], "halted", "15"])), [
        Way(None, config='table: {missing_values: ["halted"]}\n'),
        Way([[*C[:4], "15"]], config='table: {missing_values: ["halted"]}\nmissing: skip\n'),
        Way([[*C[:4], None, "15"]], config='table: {missing_values: ["halted"]}\nmissing: gap\n'),
    ]),
    Row("the header again", each(UP + UP), [good(each(UP)), good({"a.csv": UP, BARS: None})]),
    Row("write a point before decimals", each(table(['"1,5"', *C], DAYS)), [
        good(each(table(["1.5", *C], DAYS)), ["1.5", *C[:5]]),
        Way([["1.5", *C[:5]]], config='table: {decimal: ","}\n'),
        Way(None, config='table: {thousands: ","}\n'),
    ]),
    Row("if that is right, set checks: {values: off}", each(table([*C[:5], "0"])), [
        Way([[*C[:5], "0"]], config="checks: {values: off}\n"),
    ], config="checks: {values: error}\n"),
    Row("which many programs write where there is no price",
        each(table([*C[:5], "2147483647"])), [
            Way([[*C[:5], "2147483647"]], config="checks: {values: off}\n"),
    ]),
    Row("set checks: {ohlc: warn}", each("date,high,close\n" + "".join(
        f"{day},9,{close}\n" for day, close in zip(DAYS, C, strict=True))), [
            Way([C], config="checks: {ohlc: warn}\n"),
    ], config="checks: {ohlc: error}\n"),
    *(Row(hint, each(table([*(f"{close}.50" for close in C[:5]), "15.5"], end="")), [
        good(each(table([*(f"{close}.50" for close in C[:5]), "15.5"])), [*C[:5], "15"]),
    ]) for hint in ("if it is whole, end its last line", "is the file cut off?")),
    Row("is the file cut off here?", {BARS: table(C, end="")[:-4]}, [good(each(UP))]),
    Row("is not UTF-8 (save the file as UTF-8", {BARS: UP.replace("date,", "symbol,date,").replace(
        "\n2", "\n\xe9,2").encode("latin-1")}, [
            good(each(UP)), Way([C], config="table: {encoding: cp1252}\n"),
            Way(None, config="table: {encoding: gbk}\n"),
    ]),
]  # fmt: skip

SECONDS = [str(1704067200 + 60 * row) for row in range(6)]
MIXED = [
    *(f"{second}000" for second in SECONDS[:3]),
    *(f"{second}000000" for second in SECONDS[3:]),
]
YEARS = [str(2019 + row) for row in range(6)]
NEW_YORK = [f"2024-11-03 0{hour}:30:00 America/New_York" for hour in range(6)]
AT_HOME = [f"2024-11-03 0{hour}:30:00-0{4 + (hour > 1)}:00" for hour in range(6)]
EAST = [f"2024-01-0{day}T00:00:00 EST" for day in range(1, 7)]

TIMES = [
    Row("name the right column in the config under columns", each(table(C, ["x"] * 6)), [
        Way([C], config=UNTIMED),
        Way(None, config="columns: {timestamp: close}\n"),
        Way(None, config=stamp('"%d"')),
        Way(None, config=stamp("epoch_s")),
    ]),
    Row("name the right column in the config under columns",
        each("date,day,close\n" + "".join(f"x,{d},{c}\n" for d, c in zip(DAYS, C, strict=True))), [
            Way([C], config="columns: {timestamp: day}\n"),
    ]),
    Row("remove the row if it is not a bar", each(UP + "Average,12.5\n"), [
        good(each(UP)), Way([C], config="table: {footer: skip}\n"),
    ]),
    Row("remove the row if it is not a bar", each(table(C, ["2024-13-01", *DAYS[1:]])), [
        good(each(UP)), good(each(table(C[1:], DAYS[1:])), C[1:]),
    ]),
    Row("if these are years", each(table(C, YEARS)), [Way([C], config=stamp('"%Y"'))]),
    Row("if these are counts since 1970", each(table(C, list("012345"))), [
        *(Way([C], config=stamp(f"epoch_{unit}")) for unit in ("s", "ms", "us", "ns")),
        good(each(UP)),
    ]),
    Row("write these times as dates such as", each(table(C, MIXED)), [
        Way([C], config=stamp("null")), Way(None, each(UP)), Way([C], each(UP), stamp("null")),
    ], config=stamp("epoch_us")),
    Row("set timestamp_format: …", each(table(C, [f"0{row}/01/2024" for row in range(1, 7)])), [
        Way([C], config=stamp('"%d/%m/%Y"')), Way([C], config=stamp('"%m/%d/%Y"')),
    ]),
    Row("write offsets such as -05:00, or names", each(table(C, EAST)), [
        good(each(table(C, [stamp.replace(" EST", "-05:00") for stamp in EAST]))),
    ]),
    Row("write offsets such as -05:00 instead", each(table(C, NEW_YORK)), [
        good(each(table(C, AT_HOME))),
    ]),
    Row("or none if there are no timestamps", each(table(C, SECONDS[1::-1] + SECONDS[2:],
        "x,close")), [
            Way([C], config=UNTIMED), Way(None, config="columns: {timestamp: x}\n"),
    ]),
    Row("or none if there are no timestamps", each(table(C, SECONDS[1::-1] + SECONDS[2:],
        ",close")), [
            Way([C], config=UNTIMED), Way(None, config="columns: {timestamp: 1}\n"),
    ]),
    *(Row(hint, each("x,y,close\n" + "".join(
        f"{d},{d},{c}\n" for d, c in zip(DAYS, C, strict=True))), [
            Way([C], config="columns: {timestamp: x}\n"),
            Way([C], config="columns: {timestamp: y}\n"),
    ]) for hint in ("whichever is the time of the bars",)),
    *(Row(hint, each(",y,close\n" + "".join(
        f"{d},{d},{c}\n" for d, c in zip(DAYS, C, strict=True))), [
            *(Way([C], config=f"columns: {{timestamp: {place}}}\n") for place in (1, 2)),
    ]) for hint in ("whichever is the time of the bars",)),
]  # fmt: skip

ROWS = [*ORDER, *CLOSES, *TIMES]
