"""This module declares listeners, which receive every decided bar."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from rollsignal.core.decisions import Decided

Take = Callable[[Decided], None]
Ended = TypeVar("Ended")
Made_co = TypeVar("Made_co", covariant=True)


class Part(Protocol[Made_co]):
    """A listener to one part of the bars, in the process that decides it."""

    def take(self, bars: Decided) -> None:
        """Receive the next decided bars."""

    def end(self) -> Made_co:
        """Return the result of this part: small, and fit to send to another process."""


class Listener(Protocol[Ended]):
    """A receiver of every decided bar."""

    def part(self) -> Part[Ended]:
        """Return a listener to the next part of the bars, for use in any process."""

    def add(self, ended: Ended) -> None:
        """Receive the result of a part; parts come in the order of the bars."""


class SendingListener(Listener[Ended], Protocol):
    """A listener with parts that can be sent to other processes."""

    def sent_part(self) -> Part[Ended]:
        """Return a listener to the next part of the bars, fit to be pickled."""
