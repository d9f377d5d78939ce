"""This module shows what other windows would have made, and what luck alone would give."""

from collections.abc import Sequence

from rollsignal.analysis.sweep import Sweep, SweptWindow
from rollsignal.analysis.sweep_report import chosen_rows
from rollsignal.messages import plural
from rollsignal.report.markup import Content, Markup, element
from rollsignal.report.model import Page
from rollsignal.report.numbers import NONE, chance, plain, signed, signed_percent, whole
from rollsignal.report.svg import (
    Plot,
    area,
    dot,
    line,
    log_ticks,
    nice_ticks,
    padded,
    picture,
    plot_of,
    rounded_place,
    tick_label,
    x_axis,
    y_axis,
)
from rollsignal.report.tables import card, drawing, grid, legend, section, table

WIDE, NARROW = (760, 400), (360, 250)


def window_section(page: Page) -> Markup | None:
    """Return the section; None where it was not asked for."""
    swept = page.sweep
    if swept is None or page.figures is None:
        return None
    evaluation = page.figures.evaluation
    cost, own = float(evaluation.settings.cost_bp), evaluation.run.window
    windows = [row.window for row in swept.windows]
    count = plural(len(windows), "window")
    lead = (
        f"{count} from {windows[0]:,} to {windows[-1]:,}. A window is worth a thought where the"
        " line leaves the grey band, which luck alone fills when one chooses the best of all, and"
        " is above the cost."
    )
    return section(
        "window",
        "Which window?",
        lead,
        grid(_earned_drawing(swept, cost, own), _windows_card(swept, own), kind="wide"),
    )


def _earned_drawing(swept: Sweep, cost: float, own: int) -> Markup:
    title = "What one trade earns before costs, by window"
    rows = [row for row in swept.windows if row.earns_bp is not None]
    if not rows:
        return card(title, "No window trades.")
    sentence = f"Basis points a trade, over holding the same share of the time. {_tested(swept)}"
    words = (title, sentence)
    return drawing(
        title,
        sentence,
        window_picture(rows, (cost, own), words, WIDE),
        window_picture(rows, (cost, own), words, NARROW),
        keys=legend(_keys(cost)),
    )


def _keys(cost: float) -> list[tuple[str, str]]:
    words = {"blue": "a trade earns", "band": "luck, at 95 %"}
    return [*words.items(), ("orange dashed", f"a trade costs {cost:g} bp")]


def _tested(swept: Sweep) -> str:
    shapes = {
        "plateau": " Its neighbours earn at least half of what it does: a plateau.",
        "peak": " Some neighbour earns less than half of what it does: a peak.",
        None: "",
    }
    if swept.best is None:
        return "None trades."
    best = f"The best after costs is {swept.best:,}.{shapes[swept.shape]}"
    if swept.p_value is None:
        return f"{best} There are too few bars to test whether any beats luck."
    return f"{best} {chance(swept.p_value)} that any beats holding after costs (test of Hansen)."


def window_picture(
    rows: Sequence[SweptWindow],
    rules: tuple[float, int],
    words: tuple[str, str],
    size: tuple[int, int],
) -> Markup:
    """Draw what a trade earns by window. rules: its cost in basis points, and the run's window."""
    cost, own = rules
    windows = [row.window for row in rows]
    earned = [row.earns_bp or 0.0 for row in rows]
    lucky = [row for row in rows if row.luck_bp is not None]
    luck = [row.luck_bp or 0.0 for row in lucky]
    low, high = padded([0.0, cost, *earned, *luck, *(-value for value in luck)])
    ticks = nice_ticks(low, high)
    labels = [tick_label(tick, ticks) for tick in ticks]
    plot = plot_of(size, (windows[0], windows[-1]), (low, high), labels, (True, False))
    names = [(tick, whole(int(tick))) for tick in log_ticks(windows[0], windows[-1], 8)]
    name = "windows" if size == WIDE else "windows-narrow"
    band = area(plot, [row.window for row in lucky], [-value for value in luck], luck, "band")
    return picture(
        name,
        words,
        size,
        band if lucky else None,
        y_axis(plot, zip(ticks, labels, strict=True), 0),
        _cost_line(plot, cost),
        line(plot, windows, earned, "blue"),
        *_own(plot, own, dict(zip(windows, earned, strict=True))),
        x_axis(plot, names),
        kind="wide" if size == WIDE else "narrow",
    )


def _cost_line(plot: Plot, cost: float) -> Markup:
    y = rounded_place(plot.y.at(cost))
    x1, x2 = rounded_place(plot.x.start), rounded_place(plot.x.end)
    return element("line", x1=x1, x2=x2, y1=y, y2=y, class_="line orange dashed")


def _own(plot: Plot, own: int, earned: dict[int, float]) -> list[Markup]:
    """Mark the window of the run, if it is among those that were tried."""
    if own not in earned:
        return []
    x = plot.x.at(own)
    y1, y2 = rounded_place(plot.y.end), rounded_place(plot.y.start)
    at = rounded_place(x)
    is_right = x > plot.width / 2
    side = rounded_place(x - 5 if is_right else x + 5)
    return [
        element("line", x1=at, x2=at, y1=y1, y2=y2, class_="line blue dashed thin"),
        element(
            "text",
            f"window {own:,}",
            x=side,
            y=rounded_place(plot.y.end + 10),
            text_anchor="end" if is_right else "start",
            class_="value",
        ),
        dot(plot, own, earned[own], "blue", 4),
    ]


def _windows_card(swept: Sweep, own: int) -> Markup:
    every = [row._asdict() for row in swept.windows]
    chosen = {row["window"] for row in chosen_rows(every, {own, swept.best})}
    shown = [row for row in swept.windows if row.window in chosen]
    rows = [_window_row(row, own, swept.best) for row in shown]
    place = next((place for place, row in enumerate(shown) if row.window == own), None)
    heads = ["window", "rate", "flips", "earns, bp", "net"]
    caption = f"Some of {plural(len(swept.windows), 'window')}; what a trade earns"
    return element("div", table(caption, heads, rows, chosen=place), class_="card")


def _window_row(row: SweptWindow, own: int, best: int | None) -> tuple[Content, ...]:
    names = {own: "this run", best: "best"} | ({own: "this run, best"} if own == best else {})
    mark = element("span", f" {names[row.window]}", class_="small") if row.window in names else None
    net = None if row.growth_net is None else row.growth_net - 1
    return (
        element("span", whole(row.window), mark),
        plain(row.rate, 4),
        whole(row.flips),
        NONE if row.earns_bp is None else signed(row.earns_bp, 3),
        signed_percent(net, 1 if net is None or net < 10 else 0),
    )
