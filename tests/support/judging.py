"""This module judges what a run has left for a made table: metrics.json and s.csv."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path

from tests.support.made_answers import Answer, Decided
from tests.support.made_tables import Case
from tests.support.shell import strict_json


def judged(made: Case, err: str) -> str:
    """Judge an answer. A wrong one that comes with a warning of what is not known is "said"."""
    is_told = any(warning in err for warning in made.notes.excuses)
    if made.answer is None:
        return "said" if is_told else f"must be refused: {err}"
    metrics = strict_json(Path("metrics.json").read_text())
    if wrong := differs(made.answer, metrics):
        return "said" if is_told else f"{wrong}: {err}"
    return "right" if made.says in err else f"does not say {made.says}: {err}"


def differs(right: Answer, metrics: dict[str, object]) -> str:
    """Describe the difference of metrics and signals from what is right; "" without one."""
    if float(right.value) != metrics["value"]:
        return f"{metrics['value']} instead of {right.value}"
    if right.rows not in (None, metrics["rows_processed"]):
        return f"{metrics['rows_processed']} rows instead of {right.rows}"
    with open("s.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    has_names = any(row.get("symbol") for row in rows)
    is_timed = right.is_timed and any(row.get("timestamp") for row in rows)
    bars = Counter(decided(row, is_timed) for row in rows)
    expected: Counter[Decided] = Counter()
    for (symbol, at, signal), number in right.bars.items():
        expected[symbol if has_names else "", at if is_timed else None, signal] += number
    return "" if bars == expected else f"other signals: {bars - expected} for {expected - bars}"


def decided(row: dict[str, str], is_timed: bool) -> Decided:
    at = datetime.fromisoformat(row["timestamp"]) if is_timed and row["timestamp"] else None
    return row.get("symbol") or "", at, int(row["signal"]) if row["signal"] else None
