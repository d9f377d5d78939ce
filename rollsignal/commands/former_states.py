"""This module finds out whether a state of a former version says what this one would find."""

from rollsignal.core.ledger import ONE_SERIES, have_symbols
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import Task
from rollsignal.errors import DataError
from rollsignal.files.find import input_of
from rollsignal.files.open import exists
from rollsignal.outputs.state.document import State


def refuse_unsought_symbols(state: State, task: Task) -> None:
    """Raise `DataError` if files of a state have symbols for which no run has looked.

    A run does not read again what its state knows. So the first run that looks for symbols looks
    at the beginning of every file, and the state keeps that it did.
    """
    is_named = ONE_SERIES not in state.accounts
    if state.sought_symbols or is_named or task.config.columns.symbol is not None:
        return
    paths = [file.path for file in state.inputs] + [file.path for file in task.inputs]
    files = [input_of(path) for path in dict.fromkeys(paths) if exists(path)]
    inputs = Inputs(files, task.config, task.format)
    for file in files:
        with inputs.opened(file) as reader:
            batch = next(iter(reader.batches()), None)
            if batch and have_symbols(batch, reader):
                raise DataError(
                    f"{file.name} has symbols, but the state has one series without",
                    "set columns: {symbol: none} if all bars are one series, or start again with"
                    " another state file",
                )
