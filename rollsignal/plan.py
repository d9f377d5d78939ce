"""This module tells what a run would do, and does none of it."""

from rollsignal.config import load_config
from rollsignal.engines.inputs import Inputs
from rollsignal.errors import escaped, shown_path
from rollsignal.request import Request, check_forms


def plan(request: Request) -> str:
    """Tell what a run would read and write and with which settings, and write nothing.

    Raises `JobError` where the run would fail before its first row.
    """
    request = request.expanded()
    problem = request.conflict()
    if problem:
        raise problem
    check_forms(request)
    config = load_config(request.config)
    inputs = Inputs(request.input_files(), config, request.format)
    return "\n".join(
        [
            *(f"would read  {shown_path(path)}: {inputs.describe(path)}" for path in inputs.paths),
            *(f"would write {shown_path(path)}" for path in request.written),
            *(f"setting     {name}: {_shown(value)}" for name, value in config.by_name().items()),
        ]
    )


def _shown(value: object) -> str:
    text = "null" if value is None else str(value)
    return text.lower() if isinstance(value, bool) else escaped(text)
