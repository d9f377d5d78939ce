"""This module declares publishers, and the messages that they make of a record."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from rollsignal.outputs.record.document import Record


class Target(NamedTuple):
    """Whom to tell: the kind of a target, and its address, a path or a URL that may be secret."""

    kind: str
    address: str = ""


class Post(NamedTuple):
    """A body that is sent to a URL."""

    url: str
    body: bytes
    content_type: str


class Textfile(NamedTuple):
    """A file of metrics that is replaced as a whole; `kept` are metrics that stay as they were."""

    path: str
    text: str
    kept: frozenset[str] = frozenset()


Attributes = Mapping[str, str | int | float]


class RunSpan(NamedTuple):
    """What took time, with its name, numbers, and times in nanoseconds since 1970."""

    id: int
    name: str
    start_ns: int
    end_ns: int
    attributes: Attributes


class RunTrace(NamedTuple):
    """A root span and its children; `parent` is the id of the span that the root belongs to.

    error: why the root failed, "" for success.
    """

    id: int
    parent: int | None
    root: RunSpan
    children: Sequence[RunSpan]
    error: str
    version: str


Message = Post | Textfile | RunTrace


class Publisher(Protocol):
    """A pure function of the record: no clock, file, network or environment."""

    def __call__(self, record: Record, address: str) -> Sequence[Message]:
        """Return what to send to an address; nothing where there is nothing to tell."""
