"""This module shows the symbols of a panel: how they are spread, and a table of all.

The page has the first rows; its script sorts, searches and pages through all of them, which are in
an element of JSON.
"""

from statistics import NormalDist
from typing import Any

from rollsignal.messages import plural
from rollsignal.report.markup import Content, Markup, element, script_json
from rollsignal.report.model import Page, SymbolLine
from rollsignal.report.numbers import NONE, moment, plain, signed
from rollsignal.report.pictures import spark_picture
from rollsignal.report.symbol_pictures import against_picture, rates_picture, t_picture
from rollsignal.report.tables import card, drawing, grid, section

STATIC_SYMBOLS = 25
SPARK_BARS = 250
# The columns of the table, and how many decimals their figures have; None for words.
SYMBOL_COLUMNS: dict[str, int | None] = {
    "symbol": None,
    "signal": 0,
    "last bar": None,
    "bars": 0,
    "rate": 3,
    "ties": 0,
    "above mean, %": 2,
    "net, %": 1,
    "held, %": 1,
    "t": 2,
}
SURE_OF_ALL = 0.95


def symbols_section(page: Page) -> Markup | None:
    """Return the section; None for one series."""
    if page.figures is None or not page.is_panel:
        return None
    lines = page.figures.symbols
    pictures = grid(_t_drawing(lines), _against_drawing(lines), _rates_drawing(lines))
    lead = "The late ones first, then by the size of t. A name leads to the bars of its symbol."
    return section("symbols", "Symbols", lead, pictures, _symbol_table(lines))


def _t_drawing(lines: list[SymbolLine]) -> Markup:
    title = "Symbols by the t of their timing"
    values = [line.excess_t for line in lines if line.excess_t is not None]
    if not values:
        return card(title, "No symbol has enough bars.")
    best = max(lines, key=lambda line: abs(line.excess_t or 0))
    # As many independent symbols stay within it, 95 times of 100.
    bound = NormalDist().inv_cdf((1 + SURE_OF_ALL ** (1 / len(values))) / 2)
    sentence = (
        "Long when 1, compared with holding the same share, before costs. The curve is what luck"
        f" alone gives. The farthest is {best.symbol} at {signed(best.excess_t, 1)}; by luck the"
        f" farthest of {len(values):,} is within {plain(bound, 1)}, 95 times of 100."
    )
    return drawing(title, sentence, t_picture(values, (title, sentence)))


def _against_drawing(lines: list[SymbolLine]) -> Markup:
    title = "Net against held"
    pairs = [(line.held, line.net) for line in lines]
    known = [(held, net) for held, net in pairs if held is not None and net is not None]
    if not known:
        return card(title, "No symbol has a growth to draw.")
    better = sum(net > held for held, net in known)
    sentence = (
        "A dot a symbol, across what holding made, up what the signal made. Above the dashed line"
        f" the signal did better: {better:,} of {len(known):,}."
    )
    return drawing(title, sentence, against_picture(known, (title, sentence)))


def _rates_drawing(lines: list[SymbolLine]) -> Markup:
    title = "Signal rate"
    values = [line.rate for line in lines if line.rate is not None]
    if not values:
        return card(title, "No symbol has a signal.")
    ends = f"{plain(min(values), 3)} to {plain(max(values), 3)}"
    sentence = f"Symbols by their share of ones, {ends}."
    return drawing(title, sentence, rates_picture(values, (title, sentence)))


def _symbol_table(lines: list[SymbolLine]) -> Markup:
    names = [*SYMBOL_COLUMNS, f"last {SPARK_BARS} closes"]
    kinds = [None if digits is None else "n" for digits in SYMBOL_COLUMNS.values()]
    head = [
        element("th", name, scope="col", data_column=place, class_=kind)
        for place, (name, kind) in enumerate(zip(names, [*kinds, "n"], strict=True))
    ]
    rows = [_symbol_row(line, kinds) for line in lines[:STATIC_SYMBOLS]]
    count = f"The first {len(rows)} of {plural(len(lines), 'symbol')}"
    made = element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *rows),
        aria_label="Symbols",
    )
    scroll = element("div", made, class_="scroll", tabindex=0, role="region", aria_label="Symbols")
    documents = {"columns": _column_facts(), "rows": [_symbol_values(line) for line in lines]}
    data = element("script", script_json(documents), type="application/json", id="symbol-rows")
    return element(
        "div",
        element("div", id="symbol-find", class_="controls"),
        element("noscript", element("p", f"{count}.", class_="note")),
        scroll,
        element("div", id="symbol-pages", class_="controls"),
        data,
        class_="card",
        id="symbol-table",
    )


def _column_facts() -> list[dict[str, object]]:
    return [{"name": name, "digits": digits} for name, digits in SYMBOL_COLUMNS.items()]


def _symbol_values(line: SymbolLine) -> list[Any]:
    """Return the figures of a row as they are shown, but numbers.

    The place of the symbol comes first, and at the end whether it is late.
    """
    figures = (
        *(line.symbol, line.now.signal, moment(line.last), line.bars, line.rate, line.ties),
        *map(_hundred, (line.now.above, line.net, line.held)),
        line.excess_t,
    )
    return [
        line.place,
        *(
            round(value, digits) if isinstance(value, float) and digits is not None else value
            for value, digits in zip(figures, SYMBOL_COLUMNS.values(), strict=True)
        ),
        bool(line.late),
    ]


def _hundred(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _symbol_row(line: SymbolLine, kinds: list[str | None]) -> Markup:
    values = _symbol_values(line)[1:-1]
    name = element("a", line.symbol or NONE, href="#signal")
    cells: list[Content] = [
        value if digits is None else plain(value, digits)
        for value, digits in zip(values, SYMBOL_COLUMNS.values(), strict=True)
    ]
    classes = list(kinds)
    classes[1] = "n one" if line.now.signal == 1 else "n"
    classes[2] = "late" if line.late else None
    made = [element("td", cell, class_=kind) for cell, kind in zip(cells, classes, strict=True)]
    made[0] = element("th", name, scope="row")
    spark = element("td", spark_picture(line.now.closes), class_="n")
    return element("tr", *made, spark, data_symbol=line.place)
