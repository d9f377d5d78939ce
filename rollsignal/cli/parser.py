"""This module parses flags strictly: no abbreviations, and no value that is given twice."""

import argparse
from typing import Any, NoReturn

from rollsignal.config.request import Request
from rollsignal.errors import UsageError
from rollsignal.files.formats import FORMATS
from rollsignal.messages import did_you_mean, shown, text_without_secrets


class Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError`, suggests the nearest flag, and takes no abbreviations."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["allow_abbrev"] = False
        kwargs["formatter_class"] = lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, width=88
        )
        super().__init__(**kwargs)

    def add_value(self, flag: str, what: str, **kwargs: Any) -> None:
        """Declare a flag with a value, which may be given once; `what` is its help."""
        self.add_argument(flag, action=_Once, help=what, **kwargs)

    def add_path(self, flag: str, what: str, default: str | None = None) -> None:
        """Declare a flag with a path, and its default."""
        text = f"{what} (default: {default or 'none'})"
        self.add_value(flag, text, metavar="PATH", default=default)

    def add_list(self, flag: str, what: str, metavar: str) -> None:
        """Declare a flag with a value, which may be given many times; `what` is its help."""
        self.add_argument(flag, action="append", default=[], help=what, metavar=metavar)

    def add_switch(self, *names: str, what: str) -> None:
        """Declare a flag without a value; `what` is its help."""
        self.add_argument(*names, action="store_true", help=what)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse all arguments; raises `UsageError` for an unknown one."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
            hint = did_you_mean(name, flags) if name.startswith("-") else "no flag takes it"
            hint = ("--config" in flags and _setting_hint(name)) or hint
            self.error(f"unknown argument {shown(text_without_secrets(name))}: {hint}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`; argparse would print and exit."""
        raise UsageError(text_without_secrets(message), f"see {self.prog} --help")


def _setting_hint(flag: str) -> str:
    """Return how a setting is given that was taken for a flag; "" if it is not the name of one."""
    from rollsignal.config.sections import flat_schemas
    from rollsignal.config.settings import JobConfig

    wanted = flag.removeprefix("--").replace("-", "_").lower()
    for name in flat_schemas(JobConfig):
        section, _, key = name.rpartition(".")
        if flag.startswith("--") and wanted in (name, key):
            line = f"{section}: {{{key}: VALUE}}" if section else f"{key}: VALUE"
            return f"{name} is a setting, write {line} in the config, or --set {name}=VALUE"
    return ""


class _Once(argparse.Action):
    """Store a flag's value; a second value is an error and does not replace the first."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        given = vars(namespace).setdefault("given", set())
        if self.dest in given:
            parser.error(f"{option_string} is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def request_of(options: argparse.Namespace) -> Request:
    """Return the request that the options of `run` make."""
    names = [name for name in Request._fields if name not in ("inputs", "given")]
    given = {name: getattr(options, name) for name in names}
    lists = {"set": tuple(options.set), "publish": tuple(options.publish)}
    return Request(tuple(options.input), **given | lists)


def guessed(arguments: list[str]) -> Request:
    """Guess the paths of a wrong command line, so that its error metrics get to the right file.

    Every other path may have been meant as an input, so it counts as one and is not written to. Of
    the targets, only a heartbeat is told.
    """
    named: dict[str, str] = {}
    inputs: list[str] = []
    publish: list[str] = []
    flag = ""
    for argument in arguments[1:]:
        name, equals, value = argument.partition("=")
        if argument.startswith("--") and not equals:
            flag = name
            continue
        if not argument.startswith("--"):
            name, value = flag, argument
            flag = flag if flag == "--publish" else ""
        if name == "--publish":
            publish += [value] if value == "heartbeat" else []
            continue
        if name in ("--config", "--output", "--log-file", "--log-format"):
            inputs += [named[name]] if name in named else []
            named[name] = value
        elif name != "--format" or value not in FORMATS:
            inputs.append(value)
    default = Request()
    return Request(
        tuple(dict.fromkeys(inputs)) or default.inputs,
        named.get("--config", default.config),
        named.get("--output", default.output),
        named.get("--log-file", default.log_file),
        "json" if named.get("--log-format") == "json" else "text",
        publish=tuple(publish[:1]),
    )
