"""This module finds out how many cores this process may use: those of the machine or its share."""

import os
from collections.abc import Iterator
from contextlib import suppress

# Where Linux says which control group limits a process, and how much CPU time it may use.
_OF_PROCESS, _GROUPS = "proc/self/cgroup", "sys/fs/cgroup"


def usable_cores(root: str = "/") -> int:
    """Return how many cores may be used, at least 1. root: the folder where files are looked up."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        # Only Linux can tie a process to some of the cores.
        cores = os.cpu_count() or 1
    limits = [-(-quota // period) for quota, period in _quotas(root) if quota > 0 and period > 0]
    return max(1, min([cores, *limits]))


def _quotas(root: str) -> Iterator[tuple[int, int]]:
    """Yield how long the groups of this process may run, and in which time, in microseconds."""
    for line in _content_of(root, _OF_PROCESS).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for group in _with_parents(path):
            if not controllers:
                quota, _, period = _content_of(root, f"{_GROUPS}{group}/cpu.max").partition(" ")
                yield _microseconds(quota), _microseconds(period)
            elif "cpu" in controllers.split(","):
                for folder in (f"{_GROUPS}/cpu{group}", f"{_GROUPS}/{controllers}{group}"):
                    quota = _content_of(root, f"{folder}/cpu.cfs_quota_us")
                    period = _content_of(root, f"{folder}/cpu.cfs_period_us")
                    yield _microseconds(quota), _microseconds(period)


def _with_parents(path: str) -> Iterator[str]:
    """Yield a group and those that it is in; in a container it may be shown as the root."""
    path = path.rstrip("/")
    while path.startswith("/"):
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _microseconds(text: str) -> int:
    """Return a whole number, 0 for `max` or nothing."""
    text = text.strip()
    return int(text) if text.isdecimal() else 0


def _content_of(root: str, path: str) -> str:
    with suppress(OSError, ValueError), open(os.path.join(root, path), encoding="ascii") as file:
        return file.read()
    return ""
