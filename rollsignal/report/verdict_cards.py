"""This module says on five cards what a page has found; each leads to its section."""

from collections.abc import Collection
from typing import Literal, NamedTuple

from rollsignal.messages import escaped, plural
from rollsignal.report.markup import Markup, element
from rollsignal.report.model import Page
from rollsignal.report.numbers import basis_points, chance, interval, moment, plain, without_letters

VerdictMark = Literal["fine", "look", "no", "none"]
SIGNS: dict[VerdictMark, str] = {"fine": "✓", "look": "!", "no": "✕", "none": "–"}
SURE_WINDOW = 0.05
WINDOW, FLOATS, CHANGED = "Which window?", "Do floats differ?", "What changed?"


class PageVerdict(NamedTuple):
    """A card: what is asked, how it looks, the answer, and a sentence with its figure."""

    section: str
    question: str
    mark: VerdictMark
    answer: str
    sentence: str


def page_verdicts(page: Page) -> list[PageVerdict]:
    """Judge what is on a page."""
    if page.figures is None:
        questions = {"window": WINDOW, "floats": FLOATS, "changed": CHANGED}
        others = [
            PageVerdict(name, question, "none", "Not known", _because(page))
            for name, question in questions.items()
        ]
        return [_trust_verdict(page), _good_verdict(page), *others]
    return [
        _trust_verdict(page),
        _good_verdict(page),
        _window_verdict(page),
        _floats_verdict(page),
        _changed_verdict(page),
    ]


def verdict_cards(verdicts: list[PageVerdict], sections: Collection[str]) -> Markup:
    """Return the cards. sections: those of the page; a card of any other leads nowhere."""
    items = [element("li", _card(verdict, verdict.section in sections)) for verdict in verdicts]
    return element("ul", *items, class_="verdicts")


def _card(verdict: PageVerdict, is_link: bool) -> Markup:
    mark = verdict.mark
    badge = element("span", element("span", SIGNS[mark], aria_hidden="true"), f" {mark}")
    return element(
        "a" if is_link else "div",
        element("span", verdict.question, class_="question"),
        element("span", badge, class_=f"badge {mark}"),
        element("strong", verdict.answer),
        element("span", verdict.sentence, class_="note"),
        href=f"#{verdict.section}" if is_link else None,
        class_="card",
    )


def verdicts_text(verdicts: list[PageVerdict]) -> str:
    """Write verdicts as text, a line each."""
    return "".join(
        escaped(f"{each.question:<17} {each.mark:<5} {each.answer}. {each.sentence}") + "\n"
        for each in verdicts
    )


def _trust_verdict(page: Page) -> PageVerdict:
    question = "Can I trust it?"
    record = page.record
    if page.figures is None:
        assert record is not None
        return PageVerdict("trust", question, *_without_figures(page))
    evaluation = page.figures.evaluation
    judged = evaluation.verdicts.trust
    sentence = _rate_sentence(page)
    if judged.verdict != "ok":
        first, *others = [_capital(without_letters(why)) for why in judged.why]
        sentence = " ".join([*(f"{why}." for why in others), sentence])
        return PageVerdict("trust", question, "look", first, sentence)
    answer = "Bars checked, rate as usual"
    if judged.why:
        answer = "Nothing speaks against it"
    unknown = [f"{_capital(why)}." for why in judged.why]
    return PageVerdict("trust", question, "fine", answer, " ".join([sentence, *unknown]))


def _without_figures(page: Page) -> tuple[VerdictMark, str, str]:
    record = page.record
    assert record is not None
    if record.status == "error":
        failure = record.error
        code = f" Exit code {failure.exit_code}." if failure else ""
        return (
            "no",
            "The run failed",
            f"{failure.message if failure else 'Nobody knows why'}.{code}",
        )
    if record.status == "running":
        when = moment(record.process.started)
        return "no", "The run did not end", f"It began at {when} UTC; its record says no more."
    found = {name: check.found for name, check in record.checks.items() if check.found}
    if found:
        words = ", ".join(f"{name} {count:,}" for name, count in found.items())
        return "look", "Checks found something", f"{_capital(words)}."
    return "fine", "Checks found nothing", "More is known with its signals: run with --signals."


def _rate_sentence(page: Page) -> str:
    assert page.figures is not None
    evaluation = page.figures.evaluation
    bars = plural(evaluation.run.bars, "bar")
    breadth = page.figures.breadth
    if breadth is not None:
        usual = _usual_words(breadth.usual)
        return f"{bars}. Share of symbols at 1 now: {plain(breadth.last, 3)}{usual}."
    rate = evaluation.rate
    if rate.last is None:
        return f"{bars}, {plural(evaluation.run.signals, 'signal')}."
    return (
        f"{bars}. Rate of the last {rate.period}: {plain(rate.last, 3)}{_usual_words(rate.usual)}."
    )


def _usual_words(ends: list[float] | None) -> str:
    if ends is None:
        return "; too few before it to say what is usual"
    return f", usually {plain(ends[0], 3)} to {plain(ends[1], 3)}"


def _good_verdict(page: Page) -> PageVerdict:
    question = "Is it any good?"
    if page.figures is None:
        return PageVerdict("good", question, "none", "Not known", _because(page))
    evaluation = page.figures.evaluation
    excess, judged = evaluation.excess, evaluation.verdicts.good
    marks: dict[str | None, VerdictMark] = {"ok": "fine", "look": "look", "bad": "no"}
    answer = _capital(judged.why[0]) if judged.verdict else "Too little to tell"
    sentence = _capital(judged.why[0]) + "."
    if judged.verdict:
        sentence = (
            f"Timing adds {basis_points(excess.gross)} bp a bar (95 %:"
            f" {interval(excess.gross_interval)}) to holding the same share of the time."
        )
    even = evaluation.trading.break_even_bp
    if even is not None:
        cost = f"{evaluation.settings.cost_bp:g}"
        sentence += f" It pays for {plain(even, 2)} bp a trade; a trade costs {cost} bp."
    return PageVerdict("good", question, marks.get(judged.verdict, "none"), answer, sentence)


def _window_verdict(page: Page) -> PageVerdict:
    question, swept = WINDOW, page.sweep
    if swept is None:
        hint = "Ask with --windows 2:200 to compare windows."
        return PageVerdict("window", question, "none", "Not asked", hint)
    count = plural(len(swept.windows), "window")
    if swept.best is None or swept.p_value is None:
        return PageVerdict("window", question, "none", "Too few bars to tell", f"Of {count}.")
    found = chance(swept.p_value)
    sentence = f"Best after costs: {swept.best:,}; {found} after choosing among all {count}."
    if swept.p_value <= SURE_WINDOW:
        return PageVerdict(
            "window", question, "fine", f"Window {swept.best:,} stands out", sentence
        )
    answer = f"None of {len(swept.windows):,} stands out"
    return PageVerdict("window", question, "none", answer, sentence)


def _floats_verdict(page: Page) -> PageVerdict:
    question, audit = FLOATS, page.audit
    if audit is None:
        hint = "Ask with --audit to compare the float tools that are installed."
        return PageVerdict("floats", question, "none", "Not asked", hint)
    bars = max((tool.bars for tool in audit.tools), default=0)
    words = ", ".join(f"{tool.method} {tool.wrong:,}" for tool in audit.tools)
    sentence = f"{words} of {plural(bars, 'signal')}; here 0."
    most = max((tool.wrong for tool in audit.tools), default=0)
    if most:
        return PageVerdict(
            "floats", question, "look", f"Up to {plural(most, 'wrong signal')}", sentence
        )
    return PageVerdict("floats", question, "fine", "No tool is wrong here", sentence)


def _changed_verdict(page: Page) -> PageVerdict:
    question, changes = CHANGED, page.changes
    if changes is None:
        hint = "Ask with --against RUN to compare with another run."
        return PageVerdict("changed", question, "none", "Not asked", hint)
    kinds = ("settings", "versions", "inputs")
    differ = [kind for kind in kinds if any(fact[0] == kind for fact in changes.facts)]
    sentence = (
        f"{_capital(_in_words(differ))} differ." if differ else "Settings and code as before."
    )
    if not changes.is_recorded:
        sentence = "Settings and code are not known: one of the runs has no record."
    if changes.equal:
        answer = "No signal changed"
        return PageVerdict("changed", question, "look" if differ else "fine", answer, sentence)
    if changes.counts is None:
        return PageVerdict("changed", question, "look", "The signals differ", sentence)
    turned = changes.counts["signal"]
    bars = sum(changes.counts.values()) - turned
    causes = ", ".join(f"{count:,} by {cause}" for cause, count in changes.causes.items())
    first = f"{_capital(causes)}. " if causes else ""
    more = f"{plural(bars, 'other bar')} differ{'s' if bars == 1 else ''}. " if bars else ""
    answer = f"{plural(turned, 'signal')} changed" if turned else "No signal changed"
    return PageVerdict("changed", question, "look", answer, f"{first}{more}{sentence}")


def _in_words(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _because(page: Page) -> str:
    return f"{_capital(page.why_none or 'nothing is known')}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
