"""This module shows what floats would decide, and what changed since another run."""

from rollsignal.messages import plural
from rollsignal.report.markup import Content, Markup, element
from rollsignal.report.model import ChangedBar, Changes, Page
from rollsignal.report.numbers import NONE, moment, plain, whole
from rollsignal.report.tables import section, table

A_MILLION = 10**6
HASH_DIGITS, SHOWN_DIGITS = 64, 12


def floats_section(page: Page) -> Markup | None:
    """Return the section; None where it was not asked for."""
    audit = page.audit
    if audit is None:
        return None
    rows: list[tuple[Content, ...]] = [
        (
            element("span", tool.method, " ", element("span", tool.version, class_="small")),
            *map(whole, (tool.wrong, tool.ties, tool.carried)),
            plain(tool.wrong * A_MILLION / tool.bars, 0) if tool.bars else NONE,
            f"{tool.largest_error:.1e}".replace("-", "−") if tool.largest_error else "0",
        )
        for tool in audit.tools
    ]
    heads = ["tool", "wrong signals", "of them ties", "of them carried", "in a million"]
    heads.append("largest error of the mean")
    bars = max((tool.bars for tool in audit.tools), default=0)
    notes = ["Carried: right if the tool is given the window alone, so earlier bars are to blame."]
    if page.absent_tools:
        notes.append(f"Not installed: {', '.join(page.absent_tools)}.")
    unanswered = [tool for tool in audit.tools if tool.unanswered]
    notes += [f"{tool.method} has no answer for {tool.unanswered:,}." for tool in unanswered]
    shown = table(plural(bars, "signal"), heads, rows)
    card = element("div", shown, element("p", " ".join(notes), class_="note"), class_="card")
    lead = "The same rule computed with binary floats, as other tools do, against the exact answer."
    return section("floats", "Do floats differ?", lead, card)


def changed_section(page: Page) -> Markup | None:
    """Return the section; None where it was not asked for."""
    changes = page.changes
    if changes is None:
        return None
    lead = f"Compared with {changes.former}."
    cards = [_changed_bars(changes), _changed_facts(changes)]
    return section("changed", "What changed since the other run?", lead, *cards)


def _changed_bars(changes: Changes) -> Markup:
    if changes.equal:
        return element("div", element("p", "The signals are equal.", class_="note"), class_="card")
    if changes.counts is None:
        text = "The signals differ: their digests do. Where is not known without both tables."
        return element("div", element("p", text, class_="note"), class_="card")
    heads = ["change", "cause", "symbol", "time", "close before", "close now"]
    heads += ["signal before", "signal now"]
    has_symbols = any(row.symbol for row in changes.rows)
    rows = [_row_of_bar(row, has_symbols) for row in changes.rows]
    if not has_symbols:
        heads.remove("symbol")
    total = sum(changes.counts.values())
    words = [
        f"{count:,} {_kind_of_change(kind)}" for kind, count in changes.counts.items() if count
    ]
    more = f"; the first {len(rows)} of {total:,}" if total > len(rows) else ""
    caption = f"{plural(total, 'bar')} differ{'s' if total == 1 else ''}: {', '.join(words)}{more}"
    left = 4 if has_symbols else 3
    return element("div", table(caption, heads, rows, left), class_="card")


def _kind_of_change(kind: str) -> str:
    names = {"signal": "with another signal", "only in A": "only before", "only in B": "only now"}
    return names.get(kind, f"with another {kind} alone")


def _row_of_bar(row: ChangedBar, has_symbol: bool) -> tuple[Content, ...]:
    change = {"only in A": "only before", "only in B": "only now"}.get(row.change, row.change)
    cells: list[Content] = [change, row.cause]
    if has_symbol:
        cells.append(row.symbol or NONE)
    cells.append(moment(row.timestamp))
    values = (row.close_before, row.close_now, row.signal_before, row.signal_now)
    return (*cells, *(NONE if value is None else str(value) for value in values))


def _shortened(fact: str) -> str:
    """Leave out most digits of a hash: the first ones tell two apart."""
    return f"{fact[:SHOWN_DIGITS]}…" if len(fact) == HASH_DIGITS else fact


def _changed_facts(changes: Changes) -> Markup | None:
    if not changes.facts:
        return None
    heads = ["what", "name", "before", "now"]
    caption = "Settings, versions and inputs that differ"
    rows = [
        (kind, name, _shortened(old), _shortened(new)) for kind, name, old, new in changes.facts
    ]
    shown = table(caption, heads, rows, len(heads))
    return element("div", shown, class_="card")
