"""This package tells others of a recorded run; it reads the record, and can never touch the run."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollsignal.publish.interface import Publisher


def _heartbeat() -> "Publisher":
    from rollsignal.publish.heartbeat import heartbeat_messages

    return heartbeat_messages


def _prometheus() -> "Publisher":
    from rollsignal.publish.prometheus import prometheus_messages

    return prometheus_messages


def _otel() -> "Publisher":
    from rollsignal.publish.otel import otel_messages

    return otel_messages


PUBLISHERS: Mapping[str, Callable[[], "Publisher"]] = {
    "heartbeat": _heartbeat,
    "prometheus": _prometheus,
    "otel": _otel,
}
"""A function that returns the publisher of each kind of target, by its name."""
