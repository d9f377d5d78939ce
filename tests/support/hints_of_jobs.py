"""This module holds the hints about configs, flags and states, and every way to follow them."""

from __future__ import annotations

from tests.support.hints import CUT, Night, Row, Way
from tests.support.hints_of_bars import (
    BARS,
    DAYS,
    IN_TURN,
    NAMED,
    UNTIMED,
    UP,
    C,
    each,
    panel,
    stamp,
    table,
)

WHOLE = 'seed: 1\nwindow: 3\nversion: "v"\n'
GOOD = Way([C], config=WHOLE)


def config(line: str, key: str = "") -> str:
    """Write a config with a line in the place of the one that begins with a key."""
    kept = [other for other in WHOLE.splitlines() if not (key and other.startswith(key))]
    return "\n".join([*kept, line, ""])


FROM_PATH = 'columns: {symbol: {from: path, pattern: "([A-Z0-9]+)-1m-"}}'


def asked(hint: str, line: str, *ways: Way, key: str = "") -> Row:
    """Make a row for a line of the config that is refused."""
    return Row(hint, each(UP), ways or [GOOD], config=config(line, key))


CONFIGS = [
    asked("write it … (", "window: 03", key="window"),
    asked("write a plain whole number", "window: three", key="window"),
    asked("which YAML reads as type", "version: 1.0", Way([C], config=config('version: "1.0"',
        "version")), key="version"),
    asked("is empty; write a name, in quotes", 'version: ""', key="version"),
    asked("put it in quotes", "version: @v", Way([C], config=config('version: "@v"', "version")),
        key="version"),
    asked("write blanks for tabs", "checks:\n\torder: error",
        Way([C], config=config("checks:\n    order: error"))),
    asked("is given twice; keep one", "window: 4"),
    asked("missing … (write for example", "", key="window"),
    asked("… (for example …: [1, 5, 20])", "evaluate: {horizons: 5}",
        Way([C], config=config("evaluate: {horizons: [1, 5, 20]}"))),
    asked("write each number once, the least first", "evaluate: {horizons: [5, 1]}",
        Way([C], config=config("evaluate: {horizons: [1, 5]}"))),
    asked("unknown setting …", "warmpu: exclude", Way([C], config=config("warmup: exclude"))),
    asked("did you mean …?", "warmpu: exclude", Way([C], config=config("warmup: exclude"))),
    asked("not one of …", "warmup: x", Way([C], config=config("warmup: exclude"))),
    asked("neither true nor false", "sort: maybe", Way([C], config=config("sort: true")),
        Way([C], config=config("sort: false"))),
    asked("not between … and …", "window: 0", key="window"),
    asked("nor a pattern such as", stamp("x"), Way([C], config=config(stamp("iso"))),
        Way(None, config=config(stamp('"%d/%m/%Y %H:%M"')))),
    asked("not of two: [date, time]", "columns: {timestamp: [date]}",
        Way(None, config=config("columns: {timestamp: [date, time]}"))),
    asked("is a mapping, but not {from: filename}", "columns: {symbol: {from: x}}",
        Way([C], config=config("columns: {symbol: {from: filename}}"))),
    *(asked(hint, f"columns: {{symbol: {{from: path{given}}}}}",
        Way(None, config=config(FROM_PATH)),
        Way([C], {"BTC-1m-2.csv": UP}, config=config(FROM_PATH), inputs=["BTC-1m-2.csv"]))
        for hint, given in (("is from: path without a pattern", ""),
            ("not one: the symbol in parentheses", ", pattern: BTC"),
            ("not a regular expression", ', pattern: "(BTC"'))),
    asked("has a pattern, which only paths have (from: path)",
        FROM_PATH.replace("path", "folder"),
        Way(None, config=config(FROM_PATH)),
        Way([C], {"BTC-1m-2.csv": UP}, config=config(FROM_PATH), inputs=["BTC-1m-2.csv"])),
    asked("give the path with the folder", "columns: {symbol: {from: folder}}",
        Way([C], {"BTC/a.csv": UP}, inputs=["BTC/a.csv"])),
    asked("correct the pattern so that it matches", FROM_PATH,
        Way([C], config=config('columns: {symbol: {from: path, pattern: "([a-z]+)[.]csv"}}')),
        Way([C], {"BTC-1m-2.csv": UP}, inputs=["BTC-1m-2.csv"])),
    asked("not a group of settings", "columns: close",
        Way([C], config=config("columns: {close: close}"))),
    asked("not a single value", "window: [3]", key="window"),
]  # fmt: skip


def flagged(hint: str, flags: list[str], *ways: Way) -> Row:
    return Row(hint, each(UP), ways, flags=flags)


LONG = "S" * 300
FLAGS = [
    flagged("is a setting, write … in the config", ["--window", "3"], Way([C], flags=[])),
    flagged("or --set …", ["--warmup", "exclude"], Way([C], flags=["--set", "warmup=exclude"])),
    flagged("is a setting, write … in the config", ["--timestamp", "date"],
        Way([C], config="columns: {timestamp: date}\n", flags=[]),
        Way([C], flags=["--set", "columns.timestamp=date"])),
    flagged("write KEY=VALUE, as window=20", ["--set", "warmup"],
        Way([C], flags=["--set", "warmup=exclude"])),
    flagged("… is given twice; keep one", ["--set", "warmup=zero", "--set", "warmup=exclude"],
        Way([C], flags=["--set", "warmup=exclude"])),
    flagged("no flag takes it", ["--wait", "1", "x"], Way([C], flags=["--wait", "1"])),
    flagged("see … --help", ["--zzz"], Way([C], flags=[])),
    flagged("did you mean …?", ["--sumary=s.csv"], Way([C], flags=["--summary=s.csv"])),
    flagged("write ./- for a file", ["--record=-"], Way([C], flags=["--record=./-"])),
    flagged("name it with --record", ["--if-changed"],
        Way([C], flags=["--if-changed", "--record=r.json"])),
    flagged("name it with --signals", ["--partition-by=date"],
        Way([C], flags=["--partition-by=date", "--signals=s"])),
    flagged("write for example 2024-01-31 or", ["--since=x"],
        Way(None, flags=["--since=2024-01-31"]), Way([C], flags=["--until=2024-01-31"])),
    Row("leave out --partition-by to write one file", each(
        panel(IN_TURN).replace("B,", f"{LONG},")), [
            Way([C, ["9", "8", "7", "6", "5", "4"]], flags=["--signals=s.csv"]),
    ], config=NAMED, flags=["--signals=s", "--partition-by=symbol"]),
]  # fmt: skip

STATE = ["--state=s.state"]
SIGNALS = [*STATE, "--signals=s.csv"]
PARTS = [*STATE, "--signals=s", "--partition-by=date"]
FIRST = Night(each(table(C[:4])))
CHANGED = table(["7", *C[1:]])
RESTATED = Way([["7", *C[1:]]], config="on_restatement: recompute\n")
ANEW = Way([C], flags=["--state=new.state"])

STATES = [
    Row("and bars are only ever added at the ends of files", each("close\n10\n11\n12\n13\n"), [
        Way([C[:4]], config=UNTIMED), Way(None, config="columns: {timestamp: close}\n"),
    ], flags=STATE),
    Row("put all bars of these series into one file", {
        "a.csv": table(C[::2], DAYS[::2]), "b.csv": table(C[1::2], DAYS[1::2]),
    }, [Way([C], {"a.csv": UP}, inputs=["a.csv"])], flags=STATE),
    Row("leave out or correct the wrong one", {"a.csv": UP, "b.csv": CHANGED}, [
        Way([C], inputs=["a.csv"]), Way([C], {"b.csv": UP}),
    ], flags=STATE),
    Row("so none of them tells how it ended: leave out the wrong one", {
        "a.csv": table(C[:4]), "b.csv": table(["7"], DAYS[3:]), "c.csv": table(C[4:], DAYS[4:]),
    }, [Way([C[:5]], inputs=["a.csv", "c.csv"])], config="open_bars: 1\n", flags=STATE),
    Row("under columns, or set open_bars: 0", each("close\n10\n11\n12\n13\n"), [
        Way([C[:4]], config=UNTIMED + "open_bars: 0\n"),
        Way(None, config="columns: {timestamp: close}\nopen_bars: 1\n"),
    ], config=UNTIMED + "open_bars: 1\n", flags=STATE),
    Row("put a file that has them beside it, or start again", each(
            table(["11", "7", *C[3:]], DAYS[1:])), [
        Way([["10", "11", "7", *C[3:]]], {"old.csv": table(C[:1])}, inputs=["old.csv", BARS]),
        Way([["11", "7", *C[3:]]], flags=["--state=new.state"]),
    ], config="on_restatement: recompute\n", flags=STATE, nights=[FIRST]),
    Row("set on_restatement: recompute", each(CHANGED), [RESTATED], flags=STATE, nights=[FIRST]),
    Row("sort other bars", each(table(C[::-1], DAYS[::-1])), [
        Way([C], each(UP), "sort: false\n"), Way(None, config="sort: false\n"),
        Way([C], config="sort: false\norder: newest_first\n"),
    ], config="sort: true\n", flags=STATE),
    Row("…: set checks: {…: error}", each(UP), [Way([C], config="checks: {order: error}\n")],
        config="checks: {order: warn}\n", flags=STATE),
    Row("set them back, or start again", each(UP), [
        Way([C], config="warmup: exclude\nmissing: error\n"), ANEW,
    ], config="missing: skip\n", flags=STATE, nights=[Night(each(table(C[:4])), "")]),
    Row("name another file for the state", {BARS: UP, "s.state": "x"}, [ANEW], flags=STATE,
        inputs=[BARS]),
    Row("use the rollsignal version that wrote it",
        {BARS: UP, "s.state": '{"rollsignal_state":999,'}, [ANEW], flags=STATE, inputs=[BARS]),
    Row("with the .bars file that belongs to it", {BARS: UP, "s.state": CUT}, [
        Way([C], {"s.state": None}),
    ], flags=STATE, nights=[FIRST], inputs=[BARS]),
    Row("put a copy in its place, or remove … and", {BARS: UP, "s.state.0.bars": CUT}, [
        Way([C], {"s.state": None}),
    ], flags=STATE, nights=[FIRST], inputs=[BARS]),
    Row("put back what the previous run wrote", {BARS: UP, "s.csv": None}, [
        Way([C], flags=["--state=new.state", "--signals=s.csv"]),
    ], flags=SIGNALS, nights=[FIRST], inputs=[BARS]),
    Row("leave out --partition-by, or name the column", each("close\n" + "\n".join(C) + "\n"), [
        Way([C], flags=["--state=new.state", "--signals=new.csv"]),
        Way(None, config="columns: {timestamp: close}\n"),
    ], config=UNTIMED, flags=PARTS),
]  # fmt: skip

ROWS = [*CONFIGS, *FLAGS, *STATES]
