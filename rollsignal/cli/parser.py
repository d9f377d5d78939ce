"""This module parses flags strictly: none is abbreviated, and none is given twice unnoticed."""

import argparse
from typing import Any, NoReturn

from rollsignal.config.request import Request
from rollsignal.errors import UsageError
from rollsignal.files.formats import FORMATS
from rollsignal.messages import did_you_mean, shown, text_without_secrets


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError`, offers the nearest flag, and never abbreviates."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["allow_abbrev"] = False
        kwargs["formatter_class"] = lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, width=88
        )
        super().__init__(**kwargs)

    def add_value(self, flag: str, what: str, **kwargs: Any) -> None:
        """Declare a flag with a value, which may be given once; `what` is its help."""
        self.add_argument(flag, action=_Once, help=what, **kwargs)

    def add_path(self, flag: str, what: str, usual: str | None = None) -> None:
        """Declare a flag with a path, and the path that it has otherwise."""
        told = f"{what} (default: {usual or 'none'})"
        self.add_value(flag, told, metavar="PATH", default=usual)

    def add_switch(self, *names: str, what: str) -> None:
        """Declare a flag without a value; `what` is its help."""
        self.add_argument(*names, action="store_true", help=what)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what is known; raises `UsageError` if that is not all."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            known = [flag for flag in self._option_string_actions if flag.startswith("--")]
            hint = did_you_mean(name, known) if name.startswith("-") else "no flag takes it"
            self.error(f"unknown argument {shown(text_without_secrets(name))}: {hint}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`, where argparse would print and exit."""
        raise UsageError(text_without_secrets(message), f"see {self.prog} --help")


class _Once(argparse.Action):
    """Store a flag's value; a second one is an error, not a silent change of mind."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        given = vars(namespace).setdefault("given", set())
        if self.dest in given:
            parser.error(f"{option_string} is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def request_of(options: argparse.Namespace) -> Request:
    """Return what the options of `run` ask for."""
    names = [name for name in Request._fields if name not in ("inputs", "given")]
    given = {name: getattr(options, name) for name in names}
    return Request(tuple(options.input), **given)


def guessed(arguments: list[str]) -> Request:
    """Find the paths in a command line that is wrong, so that its metrics still get there.

    Whatever is named and is no output may have been meant to be read, and must not be harmed.
    """
    named: dict[str, str] = {}
    others: list[str] = []
    flag = ""
    for argument in arguments[1:]:
        name, equals, value = argument.partition("=")
        if argument.startswith("--") and not equals:
            flag = name
            continue
        if not argument.startswith("--"):
            name, value, flag = flag, argument, ""
        if name in ("--config", "--output", "--log-file", "--log-format"):
            others += [named[name]] if name in named else []
            named[name] = value
        elif name != "--format" or value not in FORMATS:
            others.append(value)
    usual = Request()
    return Request(
        tuple(dict.fromkeys(others)) or usual.inputs,
        named.get("--config", usual.config),
        named.get("--output", usual.output),
        named.get("--log-file", usual.log_file),
        "json" if named.get("--log-format") == "json" else "text",
    )
