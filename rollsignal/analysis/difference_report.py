"""This module builds the report on two compared runs, as a JSON document and as text."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.difference import Difference, SignalsSide
from rollsignal.analysis.past_run import PastRun
from rollsignal.analysis.text_table import aligned
from rollsignal.messages import escaped, plural

if TYPE_CHECKING:
    import polars as pl


UNKNOWN = "unknown"
NOT_COMPARED = "one of the runs has no table of signals"
BAR_CHANGES = {
    "only in A": "only in A",
    "only in B": "only in B",
    "close": "with another close and the same signal",
    "rolling mean": "with another rolling mean, and the same close and signal",
}
COLUMNS = ("change", "cause", "symbol", "timestamp", "close_a", "close_b", "signal_a", "signal_b")


class Compared(NamedTuple):
    """Two runs, and where their tables of signals differ.

    `difference` is None if the tables are the same bytes, or if only the digests are known.
    """

    a: PastRun
    b: PastRun
    equal: bool
    difference: Difference | None = None


def report(compared: Compared, limit: int) -> dict[str, object]:
    """Build the report; its table has the first `limit` rows, changed signals first."""
    a, b, difference = compared.a, compared.b, compared.difference
    settings = _changes(a.settings, b.settings)
    document: dict[str, object] = {
        "equal": compared.equal,
        "a": _side(a, difference and difference.a),
        "b": _side(b, difference and difference.b),
        "settings": settings,
        "versions": _changes(a.versions, b.versions),
        "inputs": _changes(a.inputs, b.inputs),
    }
    if difference is None:
        return document
    rows = _with_change_and_cause(difference.rows, _other_cause(compared, settings))
    counts = dict(rows.group_by("change").len().iter_rows())
    changed = rows.filter(rows.get_column("change") == "signal")
    causes = changed.group_by("cause").len().sort("len", descending=True)
    shown = rows.sort("rank", maintain_order=True).head(limit).select(COLUMNS)
    return {
        **document,
        "counts": {name: counts.get(name, 0) for name in ("signal", *BAR_CHANGES)},
        "causes": dict(causes.iter_rows()),
        "rows": shown.to_dicts(),
    }


def _side(run: PastRun, table: SignalsSide | None) -> dict[str, object]:
    if table is None:
        return {"path": run.path, "signals": run.signals, "window": run.window}
    return {
        "path": run.path,
        "signals": run.signals,
        "bars": table.bars,
        "window": table.window,
        "window_from": "record" if run.window else "first signal",
    }


def _changes(a: dict[str, Any] | None, b: dict[str, Any] | None) -> dict[str, object] | None:
    """Return what differs between two mappings, by name; None if one of them is not known."""
    if a is None or b is None:
        return None
    names = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    return {name: {"a": a.get(name), "b": b.get(name)} for name in names}


def _other_cause(compared: Compared, settings: dict[str, object] | None) -> str:
    """Name the cause of changes that no close explains: settings or versions that differ."""
    difference = compared.difference
    assert difference is not None
    causes = [name for name in settings or {} if name not in ("seed", "version", "warmup")]
    if not causes and difference.a.window != difference.b.window:
        causes = ["window"]
    reasons = [f"config: {', '.join(causes)}"] if causes else []
    versions = _changes(compared.a.versions, compared.b.versions)
    if versions:
        reasons.append(f"code: {', '.join(versions)}")
    return "; ".join(reasons) or UNKNOWN


def _with_change_and_cause(rows: "pl.DataFrame", other_cause: str) -> "pl.DataFrame":
    """Name the change and cause of every row, and rank the rows: changed signals come first."""
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
        cause=pl.when("by_data").then(pl.lit("data")).otherwise(pl.lit(other_cause)),
        timestamp=pl.when(pl.col("stamp") != "").then("stamp"),
    ).with_columns(
        rank=pl.col("change").replace_strict(
            {"signal": 0, "only in A": 1, "only in B": 1}, default=2, return_dtype=pl.Int8
        )
    )


def report_text(document: dict[str, Any]) -> str:
    """Format a report as text for people."""
    lines = ["the signals are equal" if document["equal"] else "the signals differ", ""]
    for name in ("a", "b"):
        side = document[name]
        bars = f", {side['bars']:,} bars" if "bars" in side else ""
        window = f", window {side['window']:,}" if side["window"] else ""
        source = " (from its first signal)" if side.get("window_from") == "first signal" else ""
        lines.append(f"{name.upper()}: {side['path']}{bars}{window}{source if window else ''}")
    lines += _change_lines(document)
    if "counts" in document:
        lines += _table_lines(document)
    elif not document["equal"]:
        lines += ["", f"{NOT_COMPARED}, so where they differ is not known"]
    return "".join(escaped(line) + "\n" for line in lines)


def _change_lines(document: dict[str, Any]) -> list[str]:
    lines = []
    for group in ("settings", "versions", "inputs"):
        changes = document[group] or {}
        if changes:
            lines += ["", f"{group} that differ:"]
        lines += [f"  {name}: {pair['a']} in A, {pair['b']} in B" for name, pair in changes.items()]
    return lines


def _table_lines(document: dict[str, Any]) -> list[str]:
    counts, causes = document["counts"], document["causes"]
    by_cause = ", ".join(f"{count:,} by {cause}" for cause, count in causes.items())
    lines = ["", plural(counts["signal"], "signal") + " changed" + (by_cause and f": {by_cause}")]
    lines += [
        f"{plural(counts[name], 'bar')} {description}"
        for name, description in BAR_CHANGES.items()
        if counts[name]
    ]
    rows = [[_cell(row[name]) for name in COLUMNS] for row in document["rows"]]
    if not rows:
        return lines
    lines += ["", *aligned([COLUMNS, *rows], left=len(COLUMNS))]
    rest = sum(counts.values()) - len(rows)
    return [*lines, f"and {rest:,} more (--limit shows more)"] if rest else lines


def _cell(value: object) -> str:
    return "-" if value in (None, "") else str(value)
