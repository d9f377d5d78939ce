"""This module is the story of an evaluation: what a run's signals are worth."""

from collections.abc import Sequence

from rollsignal.analysis.decided_run import decided_run
from rollsignal.analysis.figures import Evaluated, evaluate
from rollsignal.files.replace import replace
from rollsignal.outputs.summary import summary_suffix


def evaluated(
    path: str, config: str | None, given: Sequence[str], summary: str | None = None
) -> Evaluated:
    """Evaluate a run from its record or its signals; also write a row for every symbol.

    config: the settings of bare signals. given: settings as `KEY=VALUE`. summary: where the rows
    go, None for nowhere. Raises `JobError`.
    """
    suffix = summary_suffix(summary) if summary is not None else ""
    run = decided_run(path, config, given)
    found = evaluate(run)
    if summary is not None:
        from rollsignal.analysis.symbol_rows import rendered_rows, symbol_rows

        replace(summary, rendered_rows(symbol_rows(run), suffix))
    return found
