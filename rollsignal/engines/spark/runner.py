"""This module runs the tasks of an engine on Spark: one of its tasks for each."""

import os
import pickle
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rollsignal.engines.runner import Work
from rollsignal.engines.spark import carrier
from rollsignal.engines.spark.session import SAME_HINT, spark_errors
from rollsignal.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkRunner:
    """Run tasks on the executors of a session.

    All results are awaited before the first one is yielded. Spark runs a task again if its executor
    is lost, and may run two copies of one; the first that ends counts.

    versions: those that executors must have; None for those of this process.
    """

    def __init__(self, session: "SparkSession", versions: Mapping[str, str] | None = None) -> None:
        self._session = session
        self._versions = versions or carrier.versions_here()

    def run(self, count: int, task: Work) -> Iterator[bytes]:
        """Yield the results in order.

        Raises `DiskError` if Spark gives up, `ConfigError` for executors that lack something.
        """
        from pyspark.cloudpickle import register_pickle_by_value

        register_pickle_by_value(carrier)
        carry = carrier.carried(pickle.dumps(task), self._versions, os.getcwd())
        with spark_errors():
            numbers = self._session.range(0, count, 1, count)
            answers = carrier.rows_of(numbers.mapInArrow(carry, carrier.ANSWERS).collect())
        for number in range(count):
            result, error = pickle.loads(answers.pop(number))
            if error:
                raise error
            if isinstance(result, str):
                raise ConfigError(result, SAME_HINT)
            yield result
