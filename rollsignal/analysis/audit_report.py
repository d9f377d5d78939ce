"""This module builds the report of an audit, as a JSON document and as text."""

from collections.abc import Mapping
from typing import Any

from rollsignal.analysis.audit import Audit, ToolFindings
from rollsignal.analysis.evaluation import EvaluatedRun
from rollsignal.analysis.evaluation_text import run_heading
from rollsignal.analysis.text_table import aligned
from rollsignal.messages import escaped, plural

LISTED_BARS = 10
MILLION = 1_000_000
_HEADINGS = ("tool", "version", "wrong", "ties", "carried", "in a million", "largest error")


def audit_document(run: dict[str, object], found: Audit, absent: list[str]) -> dict[str, object]:
    """Build the JSON document; `run` says which run it was, `absent` which tools were not there."""
    return {
        "run": run,
        "tools": [_tool(tool) for tool in found.tools],
        "absent": absent,
        "first": [bar._asdict() for bar in found.wrong[:LISTED_BARS]],
    }


def _tool(tool: ToolFindings) -> dict[str, object]:
    return {**tool._asdict(), "in_a_million": _in_a_million(tool)}


def _in_a_million(tool: ToolFindings) -> float | None:
    return round(tool.wrong * MILLION / tool.bars, 1) if tool.bars else None


def audit_text(document: Mapping[str, Any]) -> str:
    """Write the document for people."""
    tools, first = document["tools"], document["first"]
    lines = [run_heading(EvaluatedRun(**document["run"])), ""]
    lines += [f"  {line}" for line in aligned([_HEADINGS, *map(_tool_cells, tools)], left=2)]
    lines += [
        f"{tool['method']} has no answer for {plural(tool['unanswered'], 'bar')}"
        for tool in tools
        if tool["unanswered"]
    ]
    if document["absent"]:
        lines += ["", f"not installed: {', '.join(document['absent'])}"]
    if first:
        wrong = plural(sum(tool["wrong"] for tool in tools), "wrong signal")
        lines += ["", f"the first {len(first):,} of {wrong}:"]
        lines += [f"  {line}" for line in aligned([_wrong_bar_cells(bar) for bar in first], left=5)]
    return "".join(escaped(line) + "\n" for line in lines)


def _tool_cells(tool: Mapping[str, Any]) -> tuple[str, ...]:
    rate = tool["in_a_million"]
    return (
        tool["method"],
        tool["version"],
        *(f"{tool[name]:,}" for name in ("wrong", "ties", "carried")),
        "none" if rate is None else f"{rate:,.0f}",
        f"{tool['largest_error']:.1e}",
    )


def _wrong_bar_cells(bar: Mapping[str, Any]) -> tuple[str, ...]:
    where = " ".join(filter(None, [bar["symbol"], bar["timestamp"]])) or "a bar"
    margin = "a tie" if bar["tie"] else f"margin {bar['margin_ticks']:,}"
    origin = ", carried" if bar["carried"] else ""
    return (
        bar["tool"],
        where,
        f"close {bar['close']}",
        f"its mean {bar['tool_mean']!r}",
        f"signal {bar['tool_signal']} for {bar['signal']}: {margin}{origin}",
    )
