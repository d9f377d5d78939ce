"""This module shows what came after a signal: growth, falls, returns, and a table of figures."""

from collections.abc import Callable

from rollsignal.analysis.evaluation import Evaluation, Performance
from rollsignal.analysis.forward import Forward
from rollsignal.messages import plural
from rollsignal.report.markup import Content, Markup, element
from rollsignal.report.model import Page
from rollsignal.report.numbers import (
    NONE,
    basis_points,
    interval,
    moment,
    percent,
    plain,
    signed_percent,
    whole,
)
from rollsignal.report.pictures import falls_picture, growth_picture, interval_picture
from rollsignal.report.tables import card, drawing, facts, grid, legend, section, table

GROWTH_KEYS = [("blue", "net"), ("orange", "before costs"), ("grey", "held")]
FALL_KEYS = [("blue", "net"), ("grey", "held")]
BELOW_ONE_YEAR = "less than a year"


def good_section(page: Page) -> Markup:
    """Return the section."""
    heading = "Is the signal any good?"
    if page.figures is None:
        return section("good", heading, f"Not known: {page.why_none}.")
    evaluation = page.figures.evaluation
    return section(
        "good",
        heading,
        good_lead(evaluation),
        grid(_growth_drawing(page), _falls_drawing(page), _ahead_drawing(evaluation)),
        grid(_trading_card(evaluation), _forward_card(evaluation), kind="two uneven"),
    )


def good_lead(evaluation: Evaluation) -> str:
    """Say by which rules it was reckoned."""
    delay, cost = evaluation.settings.delay, evaluation.settings.cost_bp
    when = (
        "at its own close" if not delay else f"{plural(delay, 'bar')} later, at the close of then"
    )
    parts = [
        f"What came after it. A signal is acted on {when}, and a trade costs {cost:g} bp of what is"
        " held."
    ]
    if evaluation.run.symbols > 1:
        parts.append(
            "All symbols have equal parts, brought back to equal at every bar, which costs nothing"
            " here. Intervals draw whole times, so symbols that move together count once."
        )
    if evaluation.undefined:
        bars = plural(evaluation.undefined, "bar")
        parts.append(f"{bars} with a close of 0 or below left out.")
    return " ".join(parts)


def _growth_drawing(page: Page) -> Markup:
    assert page.figures is not None
    title, found = "Growth of 1", page.figures.curves
    if found is None:
        return card(title, _why_no_curves(page))
    ends = [curve.values[-1] for curve in (found.net, found.gross, found.held)]
    net, gross, held = (plain(end, 4) for end in ends)
    sentence = (
        f"Long while the signal is 1, else flat: {net} net, {gross} before costs; held {held}."
    )
    drawn = growth_picture(found, (title, sentence))
    return drawing(title, sentence, drawn, keys=legend(GROWTH_KEYS))


def _falls_drawing(page: Page) -> Markup:
    assert page.figures is not None
    title, found = "Below the last peak", page.figures.curves
    if found is None:
        return card(title, _why_no_curves(page))
    net, held = (min(curve.values) for curve in (found.falls_net, found.falls_held))
    sentence = f"How deep, and for how long: {percent(net)} net at most, {percent(held)} held."
    drawn = falls_picture(found, (title, sentence))
    return drawing(title, sentence, drawn, keys=legend(FALL_KEYS))


def _why_no_curves(page: Page) -> str:
    assert page.figures is not None
    if page.figures.curves is None and page.figures.evaluation.run.first is None and page.is_panel:
        return "Not known: without times, nothing tells which bars of the symbols belong together."
    return "There are too few bars, or closes too large, to draw it."


def _ahead_drawing(evaluation: Evaluation) -> Markup:
    title = "After a 1, compared with after a 0"
    rows = evaluation.forward
    if all(row.difference is None for row in rows):
        return card(title, "There are no bars ahead after both a 1 and a 0.")
    sentence = "Difference of mean forward returns in basis points, with 95 % intervals."
    if all(row.interval is None for row in rows):
        sentence = "Difference of mean forward returns in basis points; too few for intervals."
    said = "; ".join(
        f"{plural(row.horizon, 'bar')}: {basis_points(row.difference)}" for row in rows
    )
    return drawing(title, sentence, interval_picture(rows, (title, f"{sentence} {said}.")))


def _trading_card(evaluation: Evaluation) -> Markup:
    trading = evaluation.trading
    columns = (trading.net, trading.gross, trading.held)

    def row(name: str, written: Callable[[Performance], Content]) -> tuple[Content, ...]:
        return (name, *map(written, columns))

    rows: list[tuple[Content, ...]] = [
        row("growth of 1", lambda each: plain(each.growth, 4)),
        row("return a year", _return_a_year),
        row("volatility a year", lambda each: percent(each.volatility)),
        row("Sharpe ratio a year", lambda each: plain(each.sharpe, 2)),
        row("deepest fall", lambda each: percent(each.max_drawdown)),
        row("from its peak", lambda each: moment(each.from_)),
        row("to its bottom", lambda each: moment(each.bottom)),
        row("recovered", _recovered),
    ]
    caption = "Long when the signal is 1, else flat"
    heads = ["", "signal, net", "before costs", "held"]
    return element("div", table(caption, heads, rows), class_="card free")


def _return_a_year(each: Performance) -> Content:
    if each.return_per_year is None and each.growth is not None:
        return element("span", BELOW_ONE_YEAR, class_="small")
    return signed_percent(each.return_per_year)


def _recovered(each: Performance) -> Content:
    if each.from_ is None:
        return NONE
    return "not yet" if each.until is None else moment(each.until)


def _with_unit(text: str, unit: str) -> str:
    return text if text == NONE else f"{text} {unit}"


def _forward_card(evaluation: Evaluation) -> Markup:
    heads = ["bars", "after 1", "after 0", "difference", "95 % interval"]
    heads += ["rose after 1", "rose after 0"]
    rows = [_forward_row(row) for row in evaluation.forward]
    seed = evaluation.settings.seed
    method = (
        f"Intervals of 95 %: stationary bootstrap, 2,000 resamples, seed {seed},"
        " block length by Politis and White. A dash: fewer than 30 ones or zeros, or fewer than 20"
        " blocks."
    )
    caption = "Mean forward returns in basis points"
    parts = [table(caption, heads, rows), element("p", method, class_="note")]
    return element("div", *parts, facts(_trading_facts(evaluation)), class_="card")


def _trading_facts(evaluation: Evaluation) -> list[tuple[str, Content]]:
    trading, excess = evaluation.trading, evaluation.excess
    year = plain(trading.bars_per_year, 0)
    return [
        ("timing adds, bp a bar", _with_interval(excess.gross, excess.gross_interval)),
        ("the same after costs", _with_interval(excess.net, excess.net_interval)),
        ("pays for", _with_unit(plain(trading.break_even_bp, 3), "bp a trade")),
        ("trades", f"{whole(trading.trades)} ({whole(trading.flips)} flips of the signal)"),
        ("time in the market", percent(trading.time_in_market)),
        ("held at once", _with_unit(plain(trading.holding_bars, 1), "bars")),
        ("bars a year", "not known: too short a span" if year == NONE else year),
    ]


def _with_interval(value: float | None, ends: list[float] | None) -> str:
    return basis_points(value) + (f" ({interval(ends)})" if ends else "")


def _forward_row(row: Forward) -> tuple[Content, ...]:
    return (
        whole(row.horizon),
        basis_points(row.mean_one),
        basis_points(row.mean_zero),
        basis_points(row.difference),
        interval(row.interval),
        percent(row.rose_one),
        percent(row.rose_zero),
    )
