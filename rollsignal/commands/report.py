"""This module is the story of a page about a run: it gathers the figures, and writes one file."""

from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.analysis.audit import audit
from rollsignal.analysis.breadth import breadth
from rollsignal.analysis.curves import curves
from rollsignal.analysis.decided_run import DecidedRun, decided_run
from rollsignal.analysis.difference_report import report
from rollsignal.analysis.distances import distances
from rollsignal.analysis.figures import evaluate
from rollsignal.analysis.past_run import past_run
from rollsignal.analysis.rivals import RIVALS
from rollsignal.analysis.sweep import Sweep, sweep
from rollsignal.analysis.symbol_rows import symbol_rows
from rollsignal.analysis.symbols_now import symbol_now
from rollsignal.commands.audit import asked_rivals
from rollsignal.commands.diff import compare
from rollsignal.commands.sweep import asked_windows
from rollsignal.errors import UsageError
from rollsignal.files.replace import replace
from rollsignal.messages import shown_path
from rollsignal.outputs.record.document import COMMAND_LINE, Record, Setting
from rollsignal.outputs.signals.forms import known_suffix
from rollsignal.report.bars import packed_bars
from rollsignal.report.markup import Markup
from rollsignal.report.model import (
    CHANGED_ROWS,
    Changes,
    Figures,
    Page,
    SymbolLine,
    changes_of,
    symbol_lines,
    why_no_figures,
)
from rollsignal.report.page import Chart, page_html
from rollsignal.report.scripts import scripts, styles, uplot_licence
from rollsignal.report.signal_section import signal_section
from rollsignal.report.standalone import standalone_picture
from rollsignal.report.symbols_section import SPARK_BARS, STATIC_SYMBOLS
from rollsignal.report.verdict_cards import page_verdicts, verdicts_text
from rollsignal.version import __version__


class AskedReport(NamedTuple):
    """Where the page goes, and what it shows beside the run itself."""

    output: str
    against: str | None = None
    windows: str | None = None
    audit: bool = False
    plot: str | None = None


def write_report(path: str, config: str | None, given: Sequence[str], asked: AskedReport) -> str:
    """Make the page of a run, and return its verdicts as text.

    path: a record or signals. config, given: the settings of bare signals. Raises `UsageError`, and
    other `JobError`s where a run cannot be read or a file not be written.
    """
    known_suffix("--output", asked.output, (".html", ".htm"))
    if asked.plot is not None:
        known_suffix("--plot", asked.plot, (".svg",))
    windows = asked_windows(asked.windows) if asked.windows is not None else None
    past = past_run(path)
    why = why_no_figures(past)
    run = decided_run(path, config, given) if why is None else None
    page = Page(
        path=path,
        record=past.record,
        settings=_shown_settings(past.record, run, given),
        figures=_figures_of_page(run) if run else None,
        why_none=why,
        sweep=_swept_windows(run, windows),
        audit=audit(run, asked_rivals(None)) if run and asked.audit else None,
        absent_tools=[tool for tool, rival in RIVALS.items() if not rival.is_installed],
        changes=_changes_since(asked.against, path) if run and asked.against is not None else None,
        version=__version__,
    )
    picture = _picture(page) if asked.plot is not None else None
    replace(asked.output, page_html(page, _chart_of(run)))
    if asked.plot is not None and picture is not None:
        replace(asked.plot, picture)
    return verdicts_text(page_verdicts(page))


def _shown_settings(
    record: Record | None, run: DecidedRun | None, given: Sequence[str]
) -> dict[str, Setting]:
    """Return the settings: of what was decided as recorded, of figures as they were used."""
    recorded = dict(record.config or {}) if record else {}
    if run is None:
        return recorded
    names = {text.partition("=")[0].strip() for text in given}
    used = run.config.plain_by_name()
    if not recorded:
        return {
            name: Setting(value, None, COMMAND_LINE if name in names else None)
            for name, value in used.items()
            if name == "window" or name.startswith("evaluate.")
        }
    figures = {
        name: Setting(value, None, COMMAND_LINE if name in names else None)
        for name, value in used.items()
        if name in names or name not in recorded
    }
    return recorded | figures


def _figures_of_page(run: DecidedRun) -> Figures:
    evaluated = evaluate(run)
    is_panel = len(run.series) > 1
    return Figures(
        evaluated.evaluation,
        evaluated.over_time,
        curves(run),
        breadth(run),
        distances(run),
        None if is_panel else symbol_now(run.series[0], run.window, 0),
        _symbols_of_page(run) if is_panel else [],
    )


def _symbols_of_page(run: DecidedRun) -> list[SymbolLine]:
    """Return the symbols; only the first have their last closes, which the page itself draws."""
    ends = [symbol_now(each, run.window, 0) for each in run.series]
    lines = symbol_lines(symbol_rows(run), ends)
    for number, line in enumerate(lines[:STATIC_SYMBOLS]):
        end = symbol_now(run.series[line.place], run.window, SPARK_BARS)
        lines[number] = line._replace(now=end)
    return lines


def _swept_windows(run: DecidedRun | None, windows: list[int] | None) -> Sweep | None:
    return sweep(run, windows) if run is not None and windows is not None else None


def _changes_since(against: str, path: str) -> Changes:
    return changes_of(report(compare(against, path), CHANGED_ROWS), against)


def _chart_of(run: DecidedRun | None) -> Chart | None:
    if run is None or not any(len(each.closes) for each in run.series):
        return None
    packed = packed_bars(run)
    return Chart(
        signal_section(packed),
        Markup(packed.json),
        scripts(),
        "\n".join(styles()),
        uplot_licence(),
    )


def _picture(page: Page) -> str:
    if page.figures is None or page.figures.curves is None:
        what = f"{shown_path(page.path)} has no growth to draw: {page.why_none or 'too few bars'}"
        raise UsageError(what, "leave out --plot")
    return standalone_picture(page)
