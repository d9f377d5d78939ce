"""This module holds every way a run can fail: the `JobError` family, each with its exit code.

The codes are those of BSD's sysexits.h, so that a scheduler can tell bad data from a bad disk.
"""

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from errno import EAGAIN, EMFILE, ENFILE, ENOMEM
from types import ModuleType
from typing import NamedTuple, Self

Choice = Mapping[str, object]
"""Settings, by their dotted names, that answer what an error asks."""


class ExitCode(NamedTuple):
    """An exit code of every command: what it means, and whether trying again can help.

    again: False where somebody must look first; None for success.
    """

    code: int
    meaning: str
    again: bool | None


EXIT_CODES = (
    ExitCode(0, "success", None),
    ExitCode(1, "a bug in rollsignal", False),
    ExitCode(2, "wrong command line", False),
    ExitCode(65, "bad data", False),
    ExitCode(66, "input missing", True),
    ExitCode(71, "too little memory, or too few threads or open files", True),
    ExitCode(73, "output cannot be created", False),
    ExitCode(74, "reading or writing failed midway", True),
    ExitCode(75, "another run writes the same files", True),
    ExitCode(78, "bad config", False),
    ExitCode(130, "interrupted", True),
    ExitCode(143, "terminated", True),
)


class JobError(Exception):
    """The reason why a run failed: where, what was found, what to do.

    `message` goes into the metrics file; `detail` (a path, a hint) only to the log and stderr.
    `choices` are what the config may say so that the data are read, of which people choose one.
    `names` are those of the columns, where none is the one that is wanted. `check` is that of a
    finding about a bar.
    """

    exit_code = 1
    choices: Sequence[Choice] = ()
    names: Sequence[str] = ()
    check = ""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message

    def choosing(self, *choices: Choice, names: Sequence[str] = ()) -> Self:
        """Return the error, with what the config may say, and the names of the columns."""
        self.choices, self.names = choices, names
        return self


class UsageError(JobError):
    """The command line is wrong."""

    exit_code = 2


class DataError(JobError):
    """The bars cannot be trusted."""

    exit_code = 65


class InputError(JobError):
    """An input is missing or cannot be read."""

    exit_code = 66


class ScarcityError(JobError):
    """The machine has not enough memory, threads or open files for the run."""

    exit_code = 71


class OutputError(JobError):
    """An output cannot be created."""

    exit_code = 73


class DiskError(JobError):
    """Reading or writing failed midway."""

    exit_code = 74


class BusyError(JobError):
    """Another run is writing the same files; try again later."""

    exit_code = 75


class ConfigError(JobError):
    """The config is missing or wrong.

    `version` is the config's own version, if it could be read.
    """

    exit_code = 78
    version: str | None = None


class StoppedError(JobError):
    """A signal ended the run; the exit code is 128 plus its number, as in shells."""

    def __init__(self, signal_number: int, name: str) -> None:
        super().__init__(f"Stopped by {name} before the end")
        self.exit_code = 128 + signal_number


# Where the package to install is not named like the module.
_PACKAGES = {"yaml": "pyyaml", "backports": "backports.zstd"}
_LIBRARIES = ("yaml", "polars", "numpy", "pandas", "isal", "backports", "obstore", "deltalake")

_COMPILED = ("polars", "numpy", "pandas")

_UNREADABLE = "its file cannot be read"
_MEMORY = "not enough memory", "free memory, or raise the limit of the process or its container"
_THREADS = "not enough threads or processes", "raise the limit of processes (ulimit -u, pids.max)"
_FILES = "too many open files", "raise the limit of open files (ulimit -n)"
_SCARCE = {ENOMEM: _MEMORY, EAGAIN: _THREADS, EMFILE: _FILES, ENFILE: _FILES}
# What libraries say, in lower case. What cannot be mapped is the code of a library.
_SCARCE_WORDS = {
    "cannot allocate memory": _MEMORY,
    "out of memory": _MEMORY,
    "failed to map segment": _MEMORY,
    "memory allocation": _MEMORY,
    "unable to allocate": _MEMORY,
    "too many open files": _FILES,
    "can't spawn": _THREADS,
    "can't start new thread": _THREADS,
    "failed to spawn": _THREADS,
    "resource temporarily unavailable": _THREADS,
}


def foreign(error: BaseException) -> JobError | None:
    """Return the error for what the machine answered, or lacks; None for a bug.

    It is asked of errors that nobody expected where they came up. It imports nothing, since the
    memory or the open files that it would take may be what is lacking.
    """
    return (
        scarcity(error)
        or _half_loaded(error)
        or unloaded(error)
        or _not_installed(error)
        or _refused(error)
    )


def scarcity(error: BaseException) -> ScarcityError | None:
    """Return the error for a lack of memory, threads or open files; None for others."""
    kind = _MEMORY if isinstance(error, MemoryError) else None
    if isinstance(error, OSError) and error.errno is not None:
        kind = _SCARCE.get(error.errno)
    elif kind is None:
        said = str(error).lower()
        kind = next((kind for words, kind in _SCARCE_WORDS.items() if words in said), None)
    if kind is None:
        return None
    (what, hint), reason = kind, str(error).partition("\n")[0]
    return ScarcityError(f"{what}: {reason}" if reason else what, hint)


def _half_loaded(error: BaseException) -> ScarcityError | None:
    """Return the error for a library whose compiled part was not loaded, and which went on."""
    is_missing = isinstance(error, ModuleNotFoundError)
    if is_missing or not isinstance(error, ImportError | NameError | SystemError):
        return None
    frame, library = error.__traceback__, ""
    while frame:
        name = str(frame.tb_frame.f_globals.get("__name__")).partition(".")[0]
        library = name if name in _COMPILED else library
        frame = frame.tb_next
    if not library:
        return None
    reason = str(error).strip().partition("\n")[0]
    hint = "perhaps there is not enough memory; if there is, install it again"
    return ScarcityError(f"{library} was loaded only in part: {reason}", hint)


def _refused(error: BaseException) -> JobError | None:
    """Return the error for a call of the system that failed."""
    answer, filename = answer_in(error), getattr(error, "filename", None)
    where = "" if filename is None else f"path: {filename}"
    return DiskError(f"Reading or writing failed: {answer}", where) if answer else None


def answer_in(error: BaseException) -> str:
    """Return what the system answered, which libraries have only as a text; "" for nothing."""
    if isinstance(error, OSError) and error.errno is not None:
        return str(error.strerror)
    number = str(error).partition("(os error ")[2].partition(")")[0]
    return os.strerror(int(number)) if number.isdecimal() else ""


def answer_to_reading(error: BaseException) -> str:
    """As `answer_in`, but "" where a file is damaged, and a number in it leads to nowhere."""
    answer = answer_in(error)
    return "" if answer in map(os.strerror, (errno.EINVAL, errno.EOVERFLOW)) else answer


def unloaded(error: BaseException) -> DiskError | None:
    """Return the error for a module that is there and cannot be loaded; None for one that is not.

    Where the system refuses a look, Python finds no module, or a package with nothing in it.
    """
    if not isinstance(error, ImportError | AttributeError):
        return None
    name = error.name or ""
    if isinstance(error, AttributeError):
        name = error.obj.__name__ if isinstance(error.obj, ModuleType) else ""
    is_missing = isinstance(error, ModuleNotFoundError)
    reason = _why_not_found(name) if is_missing else _why_empty(sys.modules.get(name))
    what = f"the Python module {name} cannot be loaded: {reason}"
    return DiskError(what, "try again, or install the program again") if reason else None


def _why_not_found(name: str) -> str:
    """Return why a module was not found that is there, or may be; "" for one that is not."""
    top = name.partition(".")[0]
    if top == __name__.partition(".")[0]:
        return _UNREADABLE
    if not top or None in (sys.modules.get(name, sys), sys.modules.get(top, sys)):
        return ""
    for folder in sys.path:
        try:
            names = os.listdir(folder or os.curdir)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            return str(problem.strerror)
        if any(each.partition(".")[0] == top for each in names):
            return _UNREADABLE
    return ""


def _why_empty(module: ModuleType | None) -> str:
    """Return why a package was loaded without its own file, "" if it was not or has none."""
    folders = () if getattr(module, "__file__", None) else getattr(module, "__path__", ())
    for folder in folders:
        try:
            os.lstat(os.path.join(folder, "__init__.py"))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as problem:
            return str(problem.strerror)
        return _UNREADABLE
    return ""


def _not_installed(error: BaseException) -> JobError | None:
    """Return the error for a library of the program that cannot be imported."""
    name = (getattr(error, "name", None) or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or name not in _LIBRARIES:
        return None
    kind, package = ConfigError if name == "yaml" else InputError, package_of(name)
    return kind(f"the Python package {package} is not installed", f"pip install {package}")


def package_of(module: str) -> str:
    """Return the name under which the package of a module is installed."""
    return _PACKAGES.get(module.partition(".")[0], module)


class BadCellError(ValueError):
    """A cell does not hold a value of its column.

    `index` is its position in the given cells. `hint` says what to do, "" for the usual hint.
    `choices` are what the config may say, as in `JobError`.
    """

    choices: Sequence[Choice] = ()

    def __init__(self, reason: str, index: int = 0, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index
        self.hint = hint
