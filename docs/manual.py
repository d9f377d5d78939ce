"""This module writes the manual page of the command, from what its help says."""

import re
from argparse import Action, ArgumentParser
from collections.abc import Iterator

from rollsignal.errors import EXIT_CODES
from rollsignal.version import __version__

_ABOUT = """\
rollsignal is a batch job.
It reads market bars from tables and writes for each bar whether its close is above the mean of the
last closes.
It compares whole numbers, so nothing is rounded.
The result is on standard output, messages for people are on standard error.
"""
_FILES = {
    "data.csv": "the bars, unless --input names others",
    "config.yaml": "the settings, unless --config names others",
    "metrics.json": "the metrics, unless --output names another file",
    "run.log": "the log, unless --log-file names another file",
}


def manual(parser: ArgumentParser) -> str:
    """Return the manual page in the language of man(7).

    It has no date, so it changes only when the help does.
    """
    (commands,) = (action for action in parser._actions if isinstance(action.choices, dict))
    assert isinstance(commands.choices, dict)
    parts = [
        f'.TH ROLLSIGNAL 1 "" "rollsignal {__version__}" "User Commands"\n',
        f".SH NAME\nrollsignal \\- {_safe(_sentence(parser))}\n",
        ".SH SYNOPSIS\n.B rollsignal\n.I COMMAND\n[\\fIargument\\fR ...]\n",
        f".SH DESCRIPTION\n{_safe(_ABOUT)}",
        ".SH COMMANDS\n",
        *(_command(name, each) for name, each in commands.choices.items()),
        ".SH EXIT STATUS\n",
        *(_entry(f"\\fB{code}\\fR", _meaning(what, again)) for code, what, again in EXIT_CODES),
        ".SH FILES\n",
        *(_entry(f"\\fI{_safe(path)}\\fR", what) for path, what in _FILES.items()),
    ]
    return "".join(parts)


def _sentence(parser: ArgumentParser) -> str:
    text = (parser.description or "").rstrip(".")
    return text[:1].lower() + text[1:]


def _meaning(meaning: str, again: bool | None) -> str:
    return f"{meaning} (trying again can help)" if again else meaning


def _command(name: str, parser: ArgumentParser) -> str:
    """Return the section of one command."""
    return f".SS rollsignal {name}\n{_safe(parser.description or '')}\n" + "".join(_entries(parser))


def _entries(parser: ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        names = [f"\\fB{_safe(name)}\\fR" for name in action.option_strings]
        # argparse fills in what a help text names of its flag, as %(prog)s.
        what = (action.help or "") % {"prog": parser.prog}
        yield _entry(" ".join(filter(None, [", ".join(names), _value(action)])), what)


def _value(action: Action) -> str:
    """Return how the value of an argument is shown, "" if it takes none."""
    if action.nargs == 0:
        return ""
    names = list(map(str, action.choices or [])) if action.metavar is None else [action.metavar]
    shown = "|".join(f"\\fI{_safe(str(name))}\\fR" for name in names)
    return f"{shown} ..." if action.nargs == "+" else shown


def _entry(tag: str, text: str) -> str:
    return f".TP\n{tag}\n{_safe(text)}\n"


def _safe(text: str) -> str:
    """Escape what man(7) reads as its own: backslashes, hyphens, and a dot that begins a line."""
    return re.sub(r"^(?=[.'])", r"\\&", text.replace("\\", "\\e").replace("-", "\\-"), flags=re.M)
