"""This module writes what a shell knows of the command: its completions, and its manual page."""

from argparse import Action, ArgumentParser
from collections.abc import Iterator
from typing import Any

import shtab

from docs.manual import manual
from docs.sandbox import ROOT
from rollsignal.cli.flags import SCHEMAS, command_line

FOLDER = ROOT / "docs/shell"
COMPLETIONS = {"bash": "rollsignal.bash", "zsh": "_rollsignal", "fish": "rollsignal.fish"}
MANUAL = "rollsignal.1"
# How values are called in the help that name a file or a folder.
_PATHS = {"PATH", "RUN", "RECORD", "A", "B"}
_WORDS: dict[str, tuple[str, ...]] = {
    "SCHEMA": SCHEMAS,
    "TARGET": ("heartbeat", "otel", "prometheus="),
}
# Behind many files there may be a flag, which shtab itself would not offer in bash.
_FILES_OR_FLAGS: dict[str, Any] = {
    **shtab.FILE,
    "bash": "_rollsignal_files_or_flags",
    "preamble": {
        "bash": """\
_rollsignal_files_or_flags() {
  if [[ "$completing_word" == -* ]]; then
    compgen -W "${current_option_strings[*]}" -- "$completing_word"
  else
    compgen -f -- "$1"
  fi
}"""
    },
}


def shell_files() -> dict[str, str]:
    """Return the text of each file in `FOLDER`, by its name."""
    parser = command_line()
    texts = {MANUAL: manual(parser)}
    for action in _actions(parser):
        _answer(action)
    for shell, name in COMPLETIONS.items():
        texts[name] = shtab.complete(parser, shell).rstrip() + "\n"
    return texts


def _answer(action: Any) -> None:
    """Tell the completions what a value may be, where the parser does not."""
    if action.metavar in _PATHS:
        action.complete = _FILES_OR_FLAGS if action.nargs == "+" else shtab.FILE
    elif action.metavar in _WORDS:
        action.choices = _WORDS[action.metavar]


def _actions(parser: ArgumentParser) -> Iterator[Action]:
    for action in parser._actions:
        yield action
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                yield from _actions(command)
