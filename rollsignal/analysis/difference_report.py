"""This module builds the report of a comparison of two runs, as a JSON document and as text."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.difference import Difference
from rollsignal.analysis.past_run import PastRun
from rollsignal.messages import escaped, plural

if TYPE_CHECKING:
    import polars as pl


UNKNOWN = "unknown"
NOT_COMPARED = "no table of signals is left of one of the runs"
OTHERS = {
    "only in A": "only in A",
    "only in B": "only in B",
    "close": "with another close and the same signal",
    "rolling mean": "with another rolling mean, and the same close and signal",
}
COLUMNS = ("change", "cause", "symbol", "timestamp", "close_a", "close_b", "signal_a", "signal_b")


class Compared(NamedTuple):
    """Two runs, and where their tables of signals differ.

    `difference` is None where there is nothing to look at: the tables are the same bytes, or
    only the digests are known.
    """

    a: PastRun
    b: PastRun
    equal: bool
    difference: Difference | None = None


def report(compared: Compared, limit: int) -> dict[str, object]:
    """Build the report; its table has the first `limit` rows, signals that changed first."""
    a, b, found = compared.a, compared.b, compared.difference
    settings = _changes(a.settings, b.settings)
    document: dict[str, object] = {
        "equal": compared.equal,
        "a": _side(a, found, 0),
        "b": _side(b, found, 1),
        "settings": settings,
        "versions": _changes(a.versions, b.versions),
        "inputs": _changes(a.inputs, b.inputs),
    }
    if found is None:
        return document
    rows = _with_words(found.rows, _other_cause(compared, settings))
    counts = dict(rows.group_by("change").len().iter_rows())
    changed = rows.filter(rows.get_column("change") == "signal")
    causes = changed.group_by("cause").len().sort("len", descending=True)
    shown = rows.sort("rank", maintain_order=True).head(limit).select(COLUMNS)
    return {
        **document,
        "counts": {name: counts.get(name, 0) for name in ("signal", *OTHERS)},
        "causes": dict(causes.iter_rows()),
        "rows": shown.to_dicts(),
    }


def _side(run: PastRun, found: Difference | None, place: int) -> dict[str, object]:
    if found is None:
        return {"path": run.path, "signals": run.signals, "window": run.window}
    table = (found.a, found.b)[place]
    return {
        "path": run.path,
        "signals": run.signals,
        "bars": table.bars,
        "window": table.window,
        "window_from": "record" if run.window else "first signal",
    }


def _changes(a: dict[str, Any] | None, b: dict[str, Any] | None) -> dict[str, object] | None:
    """List what differs between two mappings by name; None where one of them is not known."""
    if a is None or b is None:
        return None
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    return {name: {"a": a.get(name), "b": b.get(name)} for name in names}


def _other_cause(compared: Compared, settings: dict[str, object] | None) -> str:
    """Name the cause of what no close explains: settings or versions that differ."""
    found = compared.difference
    assert found is not None
    causes = [name for name in settings or {} if name not in ("seed", "version", "warmup")]
    if not causes and found.a.window != found.b.window:
        causes = ["window"]
    words = [f"config: {', '.join(causes)}"] if causes else []
    versions = _changes(compared.a.versions, compared.b.versions)
    if versions:
        words.append(f"code: {', '.join(versions)}")
    return "; ".join(words) or UNKNOWN


def _with_words(rows: "pl.DataFrame", other: str) -> "pl.DataFrame":
    """Name every row's change and cause, and rank them: signals that changed come first."""
    import polars as pl

    def differ(name: str) -> "pl.Expr":
        return pl.col(f"{name}_a").ne_missing(pl.col(f"{name}_b"))

    change = (
        pl.when(pl.col("row_b").is_null())
        .then(pl.lit("only in A"))
        .when(pl.col("row_a").is_null())
        .then(pl.lit("only in B"))
        .when(differ("signal"))
        .then(pl.lit("signal"))
        .when(differ("close"))
        .then(pl.lit("close"))
        .otherwise(pl.lit("rolling mean"))
    )
    return rows.with_columns(
        change=change,
        cause=pl.when("by_data").then(pl.lit("data")).otherwise(pl.lit(other)),
        timestamp=pl.when(pl.col("stamp") != "").then("stamp"),
    ).with_columns(
        rank=pl.col("change").replace_strict(
            {"signal": 0, "only in A": 1, "only in B": 1}, default=2, return_dtype=pl.Int8
        )
    )


def report_text(document: dict[str, Any]) -> str:
    """Write a report for people."""
    lines = ["the signals are equal" if document["equal"] else "the signals differ", ""]
    for name in ("a", "b"):
        side = document[name]
        bars = f", {side['bars']:,} bars" if "bars" in side else ""
        window = f", window {side['window']:,}" if side["window"] else ""
        how = " (told by its first signal)" if side.get("window_from") == "first signal" else ""
        lines.append(f"{name.upper()}: {side['path']}{bars}{window}{how if window else ''}")
    lines += _change_lines(document)
    if "counts" in document:
        lines += _table_lines(document)
    elif not document["equal"]:
        lines += ["", f"{NOT_COMPARED}, so nobody can tell where"]
    return "".join(escaped(line) + "\n" for line in lines)


def _change_lines(document: dict[str, Any]) -> list[str]:
    lines = []
    for what in ("settings", "versions", "inputs"):
        changes = document[what] or {}
        if changes:
            lines += ["", f"{what} that differ:"]
        lines += [f"  {name}: {pair['a']} in A, {pair['b']} in B" for name, pair in changes.items()]
    return lines


def _table_lines(document: dict[str, Any]) -> list[str]:
    counts, causes = document["counts"], document["causes"]
    because = ", ".join(f"{count:,} by {cause}" for cause, count in causes.items())
    lines = ["", plural(counts["signal"], "signal") + " changed" + (because and f": {because}")]
    lines += [
        f"{plural(counts[name], 'bar')} {words}" for name, words in OTHERS.items() if counts[name]
    ]
    rows = [[_cell(row[name]) for name in COLUMNS] for row in document["rows"]]
    if not rows:
        return lines
    table = [list(COLUMNS), *rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(COLUMNS))]
    lines.append("")
    for row in table:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    rest = sum(counts.values()) - len(rows)
    return [*lines, f"and {rest:,} more (--limit shows more)"] if rest else lines


def _cell(value: object) -> str:
    return "-" if value in (None, "") else str(value)
