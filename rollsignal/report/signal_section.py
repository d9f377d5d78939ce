"""This module writes the section of a page that shows every bar: the chart, and its bars."""

from rollsignal.messages import plural
from rollsignal.report.bars import PackedBars
from rollsignal.report.markup import Markup, element, together

CHART_LEAD = (
    "Every bar, exactly: drag to move, wheel or pinch to zoom, arrow keys to step,"
    " + and \u2212 to zoom."
)
# What a button does, what is on it, what it is called, and at how many bars it is of no use.
_VIEW_BUTTONS = (
    ("all", "All", "Show all bars", None),
    ("last1000", "Last 1,000", "Show the last 1,000 bars", 1000),
    ("last100", "Last 100", "Show the last 100 bars", 100),
    ("in", "+", "Zoom in", None),
    ("out", "\u2212", "Zoom out", None),
)
_STEP_BUTTONS = (
    ("first", "\u21e4", "First bar", 1),
    ("back", "\u2190", "One bar back; with shift, ten", 1),
    ("next", "\u2192", "One bar on; with shift, ten", 1),
    ("end", "\u21e5", "Last bar", 1),
)
# What the chart shows; `out` and `in` are where it is zoomed out, and zoomed in.
_CHART_LEGEND = (
    ("close", "out", "close, lowest to highest"),
    ("deep", "out", "share of ones: deeper is more"),
    ("close", "in", "close"),
    ("mean", "in exact", "rolling mean"),
    ("one", "in", "signal 1"),
    ("tie", "in exact", "tie"),
    ("none", "without", "no signal"),
    ("gap", "in gaps", "a close is missing"),
)


def signal_section(packed: PackedBars) -> Markup:
    """Return the section of the chart; its script unpacks the bars of the element `bars`."""
    title = element("h2", "The signal", id="signal-title")
    without = "The chart needs JavaScript. All other sections are complete without it."
    return element(
        "section",
        title,
        element("p", CHART_LEAD, class_="lead"),
        element("div", _chart_markup(packed), id="chart", class_="card", hidden=""),
        element("p", id="chart-problem", class_="card", role="status", hidden=""),
        element("noscript", element("p", without, class_="card")),
        id="signal",
        aria_labelledby="signal-title",
    )


def chart_caption(packed: PackedBars) -> str:
    """Return which bars of a panel are in the page; of one series the chart says it."""
    symbols = len(packed.symbols)
    if symbols == 1:
        return ""
    if packed.bars == packed.of_bars:
        return f"This page holds all bars of all {symbols:,} symbols."
    size = f"{packed.bars:,} of {plural(packed.of_bars, 'bar')}"
    most = "" if packed.bars == packed.share * symbols else "at most "
    share = f"{most}the last {plural(packed.share, 'bar')} of each of {symbols:,} symbols"
    return f"This page holds {share}: {size}."


def _chart_markup(packed: PackedBars) -> Markup:
    plot = element(
        "div",
        id="chart-plot",
        tabindex=0,
        role="application",
        aria_roledescription="chart",
        aria_label="Price, rolling mean and signal of every bar",
        aria_describedby="chart-line chart-note",
    )
    line = element("p", id="chart-line", aria_live="polite")
    return together(
        element(
            "div",
            _choice_of_symbols(packed),
            _button_group("View", _VIEW_BUTTONS),
            _legend_markup(),
            id="chart-head",
        ),
        plot,
        element("div", line, _button_group("Bar", _STEP_BUTTONS), id="chart-foot"),
        element(
            "p",
            element("span", id="chart-note"),
            " ",
            chart_caption(packed),
            id="chart-caption",
        ),
    )


def _choice_of_symbols(packed: PackedBars) -> Markup | None:
    if len(packed.symbols) == 1:
        return None
    return element("label", "Symbol ", element("select", id="chart-symbol"))


def _button_group(name: str, buttons: tuple[tuple[str, str, str, int | None], ...]) -> Markup:
    made = (
        element(
            "button",
            sign,
            type="button",
            data_do=deed,
            aria_label=what,
            title=what,
            data_least=least,
        )
        for deed, sign, what, least in buttons
    )
    return element("div", *made, class_="chart-buttons", role="group", aria_label=name)


def _legend_markup() -> Markup:
    items = (
        element("li", element("i", class_=f"swatch-{sign}"), text, class_=where or None)
        for sign, where, text in _CHART_LEGEND
    )
    return element("ul", *items, id="chart-legend", aria_label="Legend")
