"""This module shows what stands behind a signal: its rate over time, its margins, its bars."""

from rollsignal.messages import plural
from rollsignal.report.markup import Markup, element
from rollsignal.report.model import Figures, Page
from rollsignal.report.numbers import moment, percent, plain, whole, without_letters
from rollsignal.report.pictures import breadth_picture, distance_picture, rate_picture
from rollsignal.report.tables import card, drawing, grid, legend, section, table

MOST_LATE = 10


def trust_section(page: Page) -> Markup:
    """Return the section."""
    lead = "The bars behind it, whether it behaves as it used to, and how little would turn it."
    cards = [_checks_card(page)]
    if page.figures is not None:
        cards = [_rate_drawing(page.figures), _distance_drawing(page.figures), *cards]
    return section("trust", "Can I trust the signal?", lead, grid(*cards))


def _rate_drawing(figures: Figures) -> Markup:
    breadth, rates = figures.breadth, figures.over_time
    if breadth is not None:
        title = "Breadth"
        sentence = f"Share of symbols whose signal is 1, by bar{_band(breadth.usual)}"
        what = f"{whole(breadth.times)} times, the last {plain(breadth.last, 3)}."
        return drawing(title, sentence, breadth_picture(breadth, (title, f"{sentence} {what}")))
    title = "Signal rate"
    if len(rates.rates) < 2:
        why = "there are no times" if rates.period is None else "there is one period alone"
        return card(title, f"How it went over time is not known: {why}.")
    sentence = f"Share of ones by {rates.period}{_band(rates.usual)}"
    what = f"{len(rates.rates)} periods, the last {plain(rates.rates[-1], 3)}."
    return drawing(title, sentence, rate_picture(rates, (title, f"{sentence} {what}")))


def _band(usual: list[float] | None) -> str:
    if usual is None:
        return ". Too few to say what is usual."
    return "; the band holds the middle 95 % of all before the last."


def _distance_drawing(figures: Figures) -> Markup:
    title, found = "Distance from the mean", figures.distances
    fragile, signals = figures.evaluation.fragility, figures.evaluation.run.signals
    known = sum(found.below) + found.ties + sum(found.above)
    if not known:
        return card(title, "No bar has a signal whose window is known.")
    unit = f"ticks of {fragile.tick}" if fragile.tick else "ticks"
    if figures.symbols:
        unit = "ticks of each symbol"
    sentence = (
        f"Close minus mean in {unit}. {plural(found.ties, 'tie')} ({percent(found.ties / known)})"
    )
    if fragile.one_tick is not None:
        turning = plural(fragile.one_tick, "signal")
        share = percent(fragile.one_tick / signals)
        turn = "turns if its" if fragile.one_tick == 1 else "turn if their"
        sentence += f"; {turning} ({share}) {turn} own close moves by one tick"
    if found.unknown:
        sentence += f"; not known of {plural(found.unknown, 'signal')} at the start"
    sentence += "."
    keys = [("grey", "signal 0"), ("orange", "tie, signal 0"), ("blue", "signal 1")]
    drawn = distance_picture(found, known, (title, sentence))
    return drawing(title, sentence, drawn, keys=legend(keys))


def _checks_card(page: Page) -> Markup:
    late = _late(page.figures) if page.figures else None
    record = page.record
    if record is None:
        what = "What the checks found is not known: name the record of the run, not its signals."
        return card("Checks", what, late)
    if not record.checks:
        return card("Checks", "The run ended before it checked anything.", late)
    rows = [
        (name, check.level, NOT_CHECKED if check.level == "off" else whole(check.found))
        for name, check in record.checks.items()
    ]
    missing = record.tally.missing if record.tally else None
    setting = page.settings["missing"].value if "missing" in page.settings else ""
    rows.append(("missing closes", str(setting), whole(missing)))
    if page.figures is not None and not page.is_panel:
        rows.append(("last bar", "", moment(page.figures.evaluation.coverage.last)))
    firsts = [check.first[0].message for check in record.checks.values() if check.first]
    notes = [element("p", f"First: {without_letters(text)}", class_="note") for text in firsts]
    found = table(None, ["check", "level", "found"], rows, left=2)
    return card("Checks", "As the run found them in its bars.", found, *notes, late)


NOT_CHECKED = "not checked"


def _late(figures: Figures) -> Markup | None:
    """Say which symbols of a panel end before the last bar."""
    coverage = figures.evaluation.coverage
    if not figures.symbols:
        return None
    if coverage.late is None:
        return element("p", "Not all have times, so none is known to be late.", class_="note")
    count = len(figures.symbols)
    caption = f"{count - coverage.late:,} of {count:,} have the last bar, {moment(coverage.last)}"
    late = [line for line in figures.symbols if line.late][:MOST_LATE]
    rows = [(line.symbol, moment(line.last)) for line in late]
    if coverage.late > len(late):
        rows.append((f"and {coverage.late - len(late):,} more", ""))
    if not rows:
        return table(caption, ["late symbol", "last bar"], [("none", "")])
    return table(caption, ["late symbol", "last bar"], rows)
