"""Places where Spark runs: a cluster of two workers, and a server of Spark Connect.

A process has one context of Spark, so tests of these places call functions in a process of the
place, which has its session.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar
from unittest import mock

from rollsignal.engines.runner import Work
from rollsignal.engines.spark import cuts, engine, panels, sorted_files, tables
from rollsignal.engines.spark.engine import SparkEngine
from rollsignal.engines.spark.runner import SparkRunner
from tests.support.answers import Answer, answer
from tests.support.shell import ROOT
from tests.support.work import until
from tests.support.workers import SmallLocalEngine, SmallReading

if TYPE_CHECKING:
    from rollsignal.config.settings import JobConfig

Returned = TypeVar("Returned")
HOSTS = "127.0.0.1", "127.0.0.2"
CORES_OF_WORKER = 2
UP_S = 180
PIECE_BYTES = 300
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
ON_CLUSTER = {
    "spark.executor.memory": "512m",
    "spark.speculation": "true",
    "spark.speculation.interval": "100ms",
    "spark.speculation.quantile": "0.5",
    "spark.speculation.minTaskRuntime": "2s",
}


class Place(NamedTuple):
    """Where a session is: in this process, or in one of its own."""

    name: str
    process: ProcessPoolExecutor | None = None

    def call(self, function: Callable[..., Returned], *arguments: object) -> Returned:
        """Call a function where the session is, and return what it returns."""
        if self.process is None:
            return function(*arguments)
        return self.process.submit(function, *arguments).result(timeout=300)


@contextmanager
def place_of(name: str, environment: Mapping[str, str]) -> Iterator[Place]:
    """Start a process whose session is found as these variables say."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawned, _begin, (dict(environment),)) as process:
        yield Place(name, process)
        process.submit(_end).result()


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Run a master and two workers; yield the environment in which a session is on them.

    The executors have no program but what the session sends them.
    """
    port = free_port()
    deploy, url = "org.apache.spark.deploy", f"spark://127.0.0.1:{port}"
    with ExitStack() as stack:
        begin = [f"{deploy}.master.Master", "--host", HOSTS[0], "--port", str(port)]
        stack.enter_context(_served("spark-class", [*begin, "--webui-port", "0"], folder, port))
        for host in HOSTS:
            sizes = ["--cores", str(CORES_OF_WORKER), "--memory", "1g", "--webui-port", "0"]
            own, own_port = folder / host, free_port(host)
            own.mkdir()
            begin = [f"{deploy}.worker.Worker", "--host", host, "--port", str(own_port)]
            line = [*begin, *sizes, "--work-dir", str(own), url]
            stack.enter_context(_served("spark-class", line, own, own_port, host))
        yield {"PYSPARK_SUBMIT_ARGS": f"--master {url} {submitted(SETTINGS | ON_CLUSTER)}"}


@contextmanager
def connect_server(folder: Path) -> Iterator[dict[str, str]]:
    """Run a server of Spark Connect; yield the environment in which it is the session's."""
    port = free_port()
    own = {"spark.connect.grpc.binding.port": str(port)}
    line = ["--master", "local[2,4]", "--class", "org.apache.spark.sql.connect.service."]
    line[-1] += "SparkConnectServer"
    for name, value in (SETTINGS | own).items():
        line += ["--conf", f"{name}={value}"]
    with _served("spark-submit", line, folder, port):
        yield {"SPARK_REMOTE": f"sc://127.0.0.1:{port}", "PYSPARK_SUBMIT_ARGS": ""}


def submitted(settings: Mapping[str, str]) -> str:
    """Write settings as `PYSPARK_SUBMIT_ARGS` has them."""
    return " ".join(f"--conf {name}={value}" for name, value in settings.items()) + " pyspark-shell"


def free_port(host: str = "127.0.0.1") -> int:
    with closing(socket.socket()) as listening:
        listening.bind((host, 0))
        return int(listening.getsockname()[1])


def spark_home() -> Path:
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def without_program() -> dict[str, str]:
    """Return an environment in which executors find Python, but not this program."""
    left_out = {"PYTHONPATH", "SPARK_REMOTE", "PYSPARK_SUBMIT_ARGS"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return kept | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}


@contextmanager
def _served(
    script: str, line: Sequence[str], folder: Path, port: int, host: str = "127.0.0.1"
) -> Iterator[None]:
    """Run a server of Spark until the end, or until this process ends."""
    with open(folder / "log.txt", "wb") as log:
        server = subprocess.Popen(
            [spark_home() / "bin" / script, *line],
            cwd=folder,
            env=without_program(),
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  # it takes no lock
        )
    try:
        assert until(lambda: server.poll() is not None or _answers(host, port), UP_S), line
        assert server.poll() is None, (folder / "log.txt").read_text()
        yield
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _answers(host: str, port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection((host, port), 0.2)):
        return True
    return False


def _begin(environment: Mapping[str, str]) -> None:
    """Make the session of this process, whose executors get the tests too."""
    kept = without_program()
    os.environ.clear()
    os.environ.update({**kept, **environment})
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    with suppress(Exception):
        session.sparkContext.setLogLevel("OFF")
    path = Path(os.environ["ROLLSIGNAL_TEST_FOLDER"], "of-tests.zip")
    with zipfile.ZipFile(path, "w") as archive:
        # Python finds packages without an __init__.py only by their folders.
        for file in (ROOT / "tests", ROOT / "tests" / "support", *ROOT.glob("tests/support/*.py")):
            archive.write(file, file.relative_to(ROOT))
    session.addArtifacts(str(path), pyfile=True)


def _end() -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    assert session
    session.stop()


class CountingSpark(SparkRunner):
    """A runner on Spark that keeps how many pieces each of its runs has."""

    counts: ClassVar[list[int]] = []

    def run(self, count: int, task: Work) -> Iterator[bytes]:
        self.counts.append(count)
        return super().run(count, task)


class SmallSparkEngine(SparkEngine):
    """The engine on Spark, with small pieces."""

    local = SmallLocalEngine()


def answer_on_spark(
    paths: Sequence[str | Path], config: JobConfig, piece_bytes: int
) -> tuple[Answer, list[int]]:
    """Decide files in small pieces with the active session; also return the pieces of each pass."""
    CountingSpark.counts.clear()
    with mock.patch.object(engine, "SparkRunner", CountingSpark):
        found = answer(SmallSparkEngine(piece_bytes, SmallReading), paths, config)
    return found, CountingSpark.counts


def answer_on_a_changed_file(path: Path, config: JobConfig, piece_bytes: int) -> Answer:
    """Decide a file in small pieces, of which each pass changes a symbol once it is through."""

    class ChangingRunner(SparkRunner):
        def run(self, count: int, task: Work) -> Iterator[bytes]:
            yield from super().run(count, task)
            path.write_text(path.read_text().replace("A", "C", 1))

    with mock.patch.object(engine, "SparkRunner", ChangingRunner):
        return answer(SmallSparkEngine(piece_bytes, SmallReading), [path], config)


def panel_on_spark(
    paths: Sequence[str | Path], config: JobConfig, piece_bytes: int, most_series: int
) -> tuple[Answer, list[int]]:
    """Decide files where a piece has room for so many series; Spark sorts more into three pieces.

    Also return into how many it has sorted them.
    """
    found: list[int] = []
    usual = tables.PiecesOfRows

    def pieces(plan: Any, count: int, *rest: Any) -> Any:
        found.append(count)
        return usual(plan, count, *rest)

    def room(pieces: int, window: int) -> int:
        return 3 if pieces == 1 else most_series

    with (
        mock.patch.object(cuts, "LEAST_PIECE_ROWS", 20),
        mock.patch.object(cuts, "LEAST_PIECE_WINDOWS", 0),
        mock.patch.object(panels, "most_series", room),
        mock.patch.object(panels, "PiecesOfRows", pieces),
    ):
        answered, _ = answer_on_spark(paths, config, piece_bytes)
    return answered, found


def sorted_on_spark(
    paths: Sequence[str | Path], config: JobConfig, piece_bytes: int
) -> tuple[Answer, int]:
    """Decide files that Spark sorts into small pieces; also return in how many places it cuts."""
    found: list[cuts.Cut] = []
    usual = cuts.spread

    def spread(*arguments: Any) -> list[cuts.Cut]:
        found[:] = usual(*arguments)
        return list(found)

    with (
        mock.patch.object(cuts, "LEAST_PIECE_ROWS", 20),
        mock.patch.object(cuts, "LEAST_PIECE_WINDOWS", 0),
        mock.patch.object(sorted_files, "spread", spread),
    ):
        answered, _ = answer_on_spark(paths, config, piece_bytes)
    return answered, len(found)
