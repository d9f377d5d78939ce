"""This module is the story of a dry run: it says what a run would read and write."""

from rollsignal.commands.plan import check_flags, conflict, expanded, resolve
from rollsignal.config.reading import read_config
from rollsignal.config.request import Request
from rollsignal.messages import escaped, shown_path


def dry_run(request: Request) -> str:
    """Describe what a run would read and write, and with which settings. Writes no file.

    Raises `JobError` where the run would fail before its first row.
    """
    request = expanded(request)
    problem = conflict(request)
    if problem:
        raise problem
    check_flags(request)
    read = read_config(request.config, given=request.set)
    plan = resolve(request, read)
    settings = read.config.by_name()
    return "\n".join(
        [
            *(f"would read  {file}" for file in plan.engine.describe(plan.task)),
            *(f"would write {shown_path(path)}" for path in request.written),
            *(f"setting     {name}: {_setting_text(value)}" for name, value in settings.items()),
        ]
    )


def _setting_text(value: object) -> str:
    text = "null" if value is None else str(value)
    return text.lower() if isinstance(value, bool) else escaped(text)
