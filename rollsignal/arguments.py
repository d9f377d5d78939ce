"""This module tells what the arguments of `run` ask for, be they right or wrong."""

import argparse

from rollsignal.formats import FORMATS
from rollsignal.request import Request


def asked(options: argparse.Namespace) -> Request:
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
