"""This module finds the session of Spark to use, and turns what it raises into our errors."""

import hashlib
import io
import logging
import os
import re
import signal
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from warnings import filterwarnings

from rollsignal.engines.spark.carrier import LACKING
from rollsignal.engines.spark.connect import check_server
from rollsignal.engines.spark.sources import sources
from rollsignal.errors import ConfigError, DiskError, JobError
from rollsignal.version import __version__

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OLDEST = (4, 0)
# The most bytes of a batch that Spark hands to Python; at NO_LIMIT it does not measure them.
BATCH_BYTES, NO_LIMIT = "spark.sql.execution.arrow.maxBytesPerBatch", str(2**31 - 1)
# Where nothing tells how many cores a cluster has.
USUAL_CORES = 32
SAME_HINT = "install the same on all machines of the cluster"
_ROOM_HINT = (
    "tasks return about 24 bytes for each piece, series and bar of the window: give the driver"
    " more with spark.driver.maxResultSize and spark.driver.memory, or set engine: local"
)
# How PySpark begins the line about an error that a task raises in our words.
_OWN = f"{DiskError.__module__}.{DiskError.__qualname__}: "
_START_HINT = "a session of Spark Connect needs SPARK_REMOTE, all others need Java 17 or newer"
_INSTALL_HINT = "pip install 'rollsignal[spark]', or rollsignal[spark-connect] for Spark Connect"


@contextmanager
def session_in_use() -> "Iterator[SparkSession]":
    """Yield the active session, else one as Spark's own conventions say, else local[*].

    These are `SPARK_REMOTE`, `spark-submit` and spark-defaults.conf. A session that is started here
    is stopped at the end. Raises `ConfigError` if there is none, or an old one.
    """
    _leave_out_warning()
    try:
        from pyspark.sql import SparkSession
    except ImportError as problem:
        raise ConfigError(f"Spark cannot be used: {problem}", _INSTALL_HINT) from problem
    active = SparkSession.getActiveSession()
    session = active or _started()
    try:
        prepare(session)
        yield session
    finally:
        if active is None:
            with suppress(Exception):
                session.stop()


def prepare(session: "SparkSession") -> None:
    """Send the program to the executors; raises `ConfigError` for an old version of Spark."""
    _leave_out_warning()
    if version_of(session) < OLDEST:
        raise ConfigError(f"Spark {session.version} is too old: 4.0 or later is needed")
    _ship_program(session)


def _leave_out_warning() -> None:
    """Do not show that PySpark warns of pandas 3, of which nothing is used here."""
    filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)


def version_of(session: "SparkSession") -> tuple[int, ...]:
    """Return the version of Spark, without its last number."""
    return tuple(map(int, session.version.split(".")[:2]))


def _started() -> "SparkSession":
    """Start a session."""
    from pyspark.sql import SparkSession

    check_server()
    builder = SparkSession.builder.appName("rollsignal")
    if not os.environ.get("SPARK_REMOTE"):
        builder = builder.config("spark.ui.showConsoleProgress", "false")
    # It logs the traceback of a stop, which the run reports itself.
    logging.getLogger().addFilter(_is_no_stop)
    try:
        with _handler_kept(signal.SIGINT):
            session = builder.getOrCreate()
    except Exception as problem:
        raise ConfigError(f"Spark does not start: {first_line(problem)}", _START_HINT) from problem
    # A session of Spark Connect has no context.
    with suppress(Exception):
        context = session.sparkContext
        # Without it, executors take the python3 of the PATH; on a cluster, that is theirs to say.
        if context.master.startswith("local") and not os.environ.get("PYSPARK_PYTHON"):
            context.pythonExec = sys.executable
    return session


def _is_no_stop(record: logging.LogRecord) -> bool:
    """Return whether a message is about something else than a signal that ends the run."""
    return not (record.exc_info and record.exc_info[0] is KeyboardInterrupt)


@contextmanager
def _handler_kept(number: signal.Signals) -> Iterator[None]:
    """Keep what this process does at a signal, which a context of Spark would replace."""
    before = signal.getsignal(number)
    try:
        yield
    finally:
        # Only the main thread may set handlers; others get a ValueError.
        with suppress(ValueError):
            signal.signal(number, before)


def _ship_program(session: "SparkSession") -> None:
    """Send this program to the executors, so that all run the same; once for a session."""
    if hasattr(session, "_rollsignal"):
        return
    data = _packed_program()
    # Executors may fetch it at any time, so it stays until this process ends.
    folder = tempfile.TemporaryDirectory(prefix="rollsignal-", ignore_cleanup_errors=True)
    name = f"rollsignal-{__version__}-{hashlib.sha256(data).hexdigest()[:12]}.zip"
    path = Path(folder.name, name)
    path.write_bytes(data)
    with spark_errors():
        session.addArtifacts(str(path), pyfile=True)
    session._rollsignal = folder


def _packed_program() -> bytes:
    """Return the program as a zip archive, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, source in sources().items():
            archive.writestr(zipfile.ZipInfo(name), source, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def cores_of(session: "SparkSession") -> int:
    """Return how many tasks the cluster runs at once, as far as it tells."""
    # A session of Spark Connect has no context.
    with suppress(Exception):
        return int(session.sparkContext.defaultParallelism)
    with suppress(Exception):
        return int(str(session.conf.get("spark.default.parallelism")))
    return USUAL_CORES


@contextmanager
def batches_by_rows(session: "SparkSession") -> Iterator[None]:
    """Let only their rows bound the batches that Spark hands to Python, as before Spark 4.

    To bound their bytes, it measures a batch after each row, which takes as long as all else of a
    handover. What the user has set stays. If Spark fails, nothing more is asked of it, because a
    client of Spark Connect would wait for minutes for a server that is lost.
    """
    is_set = session.conf.get(BATCH_BYTES, None) is not None
    if not is_set:
        session.conf.set(BATCH_BYTES, NO_LIMIT)
    yield
    if not is_set:
        session.conf.unset(BATCH_BYTES)


@contextmanager
def spark_errors() -> Iterator[None]:
    """Turn errors of Spark into `JobError`: what failed midway may succeed when it runs again.

    Until the answer comes, SIGINT interrupts the wait for it, although polars has set otherwise.
    """
    try:
        signal.siginterrupt(signal.SIGINT, True)
        yield
    except JobError:
        raise
    except ImportError as problem:
        raise ConfigError(f"Spark cannot be used: {problem}", _INSTALL_HINT) from problem
    except Exception as problem:
        if not _is_of_spark(problem):
            raise
        if lack := re.search(f"{LACKING}[^\n]*", str(problem)):
            raise ConfigError(lack[0], SAME_HINT) from problem
        if "PYTHON_VERSION_MISMATCH" in str(problem):
            python = "{}.{}".format(*sys.version_info)
            raise ConfigError(
                f"An executor of Spark has another Python than the driver, which has {python}",
                "set PYSPARK_PYTHON to a Python of the same version on all machines",
            ) from problem
        hint, told = _ROOM_HINT if "maxResultSize" in str(problem) else "", first_line(problem)
        if told.startswith(_OWN):
            raise DiskError(told.removeprefix(_OWN)) from problem
        raise DiskError(f"Spark failed: {told}", hint) from problem


def _is_of_spark(problem: BaseException) -> bool:
    modules = {each.__module__.partition(".")[0] for each in type(problem).__mro__}
    return bool(modules & {"pyspark", "py4j", "grpc"})


def first_line(problem: BaseException) -> str:
    """Return the first line of what an error of Spark says, without that it is one of Java.

    Of an error in Python on an executor, this is the line below its traceback.
    """
    lines = str(problem).splitlines()
    traces = [at for at, line in enumerate(lines, 1) if "Traceback (most recent call" in line]
    if traces:
        lines = [line for line in lines[traces[-1] :] if not line.startswith(" ")]
    told = (line.lstrip(": ") for line in lines)
    wanted = (line for line in told if line and not line.startswith("An error occurred while"))
    return next(wanted, type(problem).__name__)
