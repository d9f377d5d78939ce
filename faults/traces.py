"""Have strace list the calls of a run, kill the run right before one, or have one fail.

strace counts the calls of each name in each thread. So a call is known by its name and its number
among those of its thread, and a fault at that number strikes every thread that comes to it. Threads
may come to other calls in another run, so strace also lists what a fault has struck.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CLASSES = {
    "open": ("openat", "open"),
    "read": ("read", "pread64"),
    "write": ("write", "pwrite64", "writev"),
    "close": ("close",),
    "stat": ("newfstatat", "statx", "stat", "lstat", "fstat"),
    "lseek": ("lseek",),
    "opendir": ("getdents64",),
    "access": ("access", "faccessat", "faccessat2"),
    "mkdir": ("mkdir", "mkdirat"),
    "rename": ("rename", "renameat", "renameat2"),
    "link": ("link", "linkat", "symlink", "symlinkat"),
    "unlink": ("unlink", "unlinkat"),
    "rmdir": ("rmdir",),
    "ftruncate": ("ftruncate",),
    "fsync": ("fsync", "fdatasync"),
    "flock": ("flock",),
    "mmap": ("mmap",),
    "readlink": ("readlink", "readlinkat"),
}
CLASS_OF = {name: kind for kind, names in CLASSES.items() for name in names}
CHANGES = ("mkdir", "rename", "link", "unlink", "rmdir", "ftruncate", "fsync", "write", "create")
_CALL = re.compile(r"^(\d+) +(\w+)\((.*)")
_LOG = "run.log"
_WAKING = "anon_inode:"
_MEMORY = "MAP_ANONYMOUS"
_UNFINISHED = " <unfinished ...>"


class Call(NamedTuple):
    """A call of a run: its name, its number among the calls of this name, and its arguments.

    is_alone: whether no other thread makes a call of this number that is about something else. One
    of a library that wakes its threads, for example, never fails. may_last: whether no such one
    comes later, so that all calls from this one on can fail.
    """

    name: str
    number: int
    arguments: str
    is_alone: bool = True
    may_last: bool = True

    @property
    def kind(self) -> str:
        """Return its class; opening a file that may be made or emptied is one of its own."""
        made = self.name.startswith("open") and re.search(r"O_(CREAT|TRUNC)", self.arguments)
        return "create" if made else CLASS_OF[self.name]

    @property
    def changes_files(self) -> bool:
        """Return whether the call changes what stands on the disk, apart from the log."""
        is_vain = ") = -1 " in self.arguments
        return self.kind in CHANGES and not is_vain and _LOG not in self.arguments


def missing() -> str:
    """Return why calls cannot be traced here, "" if they can."""
    return "" if shutil.which("strace") else "there is no strace here (apt-get install strace)"


def traced(line: list[str], log: Path) -> list[str]:
    """Return the command that lists the calls of a command."""
    names = ",".join(f"?{name}" for name in CLASS_OF)
    return ["strace", "-f", "--seccomp-bpf", "-qq", "-y", "-o", str(log), "-e", names, *line]


def killed(line: list[str], call: Call) -> list[str]:
    """Return the command that is killed right before a call."""
    # Where strace sees only some of the calls (--seccomp-bpf), it sends no signals.
    return [*_injected(call.name, f"signal=KILL:when={call.number}"), *line]


def failing(line: list[str], call: Call, error: str, *, for_ever: bool, log: Path) -> list[str]:
    """Return the command in which a call fails, once or from then on; log: for `struck`."""
    fault = f"error={error}:when={call.number}{'+' * for_ever}"
    return [*_injected(call.name, fault, log), "--seccomp-bpf", "-y", *line]


def _injected(name: str, fault: str, log: Path = Path("/dev/null")) -> list[str]:
    listed = ["strace", "-f", "-qq", "-o", str(log)]
    return [*listed, "-e", f"trace={name}", "-e", f"inject={name}:{fault}"]


def struck(log: Path) -> list[str]:
    """List the calls that a fault has struck."""
    begun, found = dict[str, str](), []
    for line in log.read_text(errors="replace").splitlines():
        thread = line.partition(" ")[0]
        if line.endswith(_UNFINISHED):
            begun[thread] = line.removesuffix(_UNFINISHED)
        elif line.endswith("(INJECTED)"):
            found.append(begun.get(thread, "") + line if "resumed>" in line else line)
    return found


def is_of_files(struck: list[str]) -> bool:
    """Return whether a fault struck only calls about files.

    A library wakes its threads by calls that never fail, and no thread can tell another that one
    did. Nor has memory that no file is behind these errors: a lack of it is tried by limits.
    """
    return not any(sign in line for line in struck for sign in (_WAKING, _MEMORY))


def calls(log: Path, folder: Path) -> list[Call]:
    """List the calls that concern a folder and can be struck.

    A call of another thread can be struck where the first thread does not make a call of the same
    number while Python starts.
    """
    first, found = "", list[tuple[str, Call]]()
    for thread, call in _numbered(log):
        first = first or thread
        found.append((thread, call))
    elsewhere = [(thread, call) for thread, call in found if f"{folder}/" not in call.arguments]
    of_first = {call[:2] for thread, call in elsewhere if thread == first}
    others = {call[:2] for _, call in elsewhere}
    waking = Counter[str]()
    for _, call in elsewhere:
        if _WAKING in call.arguments:
            waking[call.name] = max(waking[call.name], call.number)
    struck = {call[:2]: call for _, call in found if f"{folder}/" in call.arguments}
    return [
        call._replace(is_alone=key not in others, may_last=call.number > waking[call.name])
        for key, call in struck.items()
        if key not in of_first
    ]


def _numbered(log: Path) -> Iterator[tuple[str, Call]]:
    counts = Counter[tuple[str, str]]()
    for text in log.read_text(errors="replace").splitlines():
        match = _CALL.match(text)
        if match and match[2] in CLASS_OF:
            counts[match[1], match[2]] += 1
            yield match[1], Call(match[2], counts[match[1], match[2]], match[3])
