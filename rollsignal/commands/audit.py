"""This module is the story of an audit: which signals of a run other tools get wrong."""

from collections.abc import Mapping, Sequence

from rollsignal.analysis.audit import WrongBar, audit
from rollsignal.analysis.audit_report import audit_document
from rollsignal.analysis.decided_run import decided_run
from rollsignal.analysis.figures import evaluated_run
from rollsignal.analysis.rivals import RIVALS, Rival
from rollsignal.errors import UsageError
from rollsignal.messages import did_you_mean, shown
from rollsignal.outputs.row_files import ROW_SUFFIXES, replace_rows
from rollsignal.outputs.signals.forms import known_suffix


def audit_run(
    path: str,
    config: str | None,
    given: Sequence[str],
    against: str | None,
    output: str | None,
) -> dict[str, object]:
    """Ask other tools for the signals of a run, and return the report.

    path: a record or signals. config, given: the settings of bare signals. against: names of tools,
    with commas; None for those that are installed. output: where all wrong bars are written, None
    for nowhere. Raises `UsageError`, and other `JobError`s where the run cannot be read or `output`
    not be written.
    """
    if output is not None:
        known_suffix("--output", output, ROW_SUFFIXES)
    rivals = asked_rivals(against)
    run = decided_run(path, config, given)
    found = audit(run, rivals)
    if output is not None:
        replace_rows(output, WrongBar, found.wrong)
    absent = [tool for tool, rival in RIVALS.items() if not rival.is_installed]
    return audit_document(evaluated_run(run)._asdict(), found, absent if against is None else [])


def asked_rivals(against: str | None) -> Mapping[str, Rival]:
    """Return tools by name; None for those that are installed; raises `UsageError`."""
    if against is None:
        return {tool: rival for tool, rival in RIVALS.items() if rival.is_installed}
    names = list(dict.fromkeys(name.strip() for name in against.split(",")))
    for name in names:
        if name not in RIVALS:
            hint = did_you_mean(name, list(RIVALS))
            raise UsageError(f"--against has an unknown tool {shown(name)}: {hint}")
        if not RIVALS[name].is_installed:
            hint = f"pip install {RIVALS[name].package}"
            raise UsageError(f"--against names {name}, which is not installed", hint)
    return {name: RIVALS[name] for name in names}
