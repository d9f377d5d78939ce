"""This package decides bars: engines differ in where and how, never in the result."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rollsignal.engines.interface import Engine


def _local() -> "Engine":
    from rollsignal.engines.local import LocalEngine

    return LocalEngine()


def _plain() -> "Engine":
    from rollsignal.engines.local import PlainEngine

    return PlainEngine()


def _spark() -> "Engine":
    from rollsignal.engines.spark.engine import SparkEngine

    return SparkEngine()


ENGINES: Mapping[str, Callable[[], "Engine"]] = {
    "local": _local,
    "plain": _plain,
    "spark": _spark,
}
"""A function that makes each engine, by name; flags, the record's schema and `verify` read this."""
