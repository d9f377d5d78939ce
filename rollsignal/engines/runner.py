"""This module runs the tasks of an engine: in this process, or in a pool of worker processes.

Workers are new processes that load the program and nothing of the one that starts them, neither
its main module nor its threads and locks. Each ends when the pipe to it is closed, which the system
does however this process ends.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from selectors import EVENT_READ, DefaultSelector
from types import TracebackType
from typing import BinaryIO, Protocol, Self, cast

from rollsignal.engines.cores import usable_cores
from rollsignal.engines.worker import Answer, Order, receive, send
from rollsignal.errors import DiskError
from rollsignal.files.replace import close_quietly

# How many results of each worker may wait for those before them.
MOST_AHEAD = 4
_BLOCKED = {signal.SIGINT, signal.SIGTERM}
_PROGRAM = "import sys; sys.path[:] = {}; from rollsignal.engines.worker import serve; serve()"

Work = Callable[[int], bytes]


class NoProcessError(Exception):
    """The system does not let this process start another one."""


class Runner(Protocol):
    """Somewhere to run tasks."""

    def run(self, count: int, task: Work) -> Iterator[bytes]:
        """Yield what a task returns for each number below `count`, in the order of the numbers.

        Calls may be made anywhere and in any order, so the task must be fit to be pickled. An error
        that it raises is raised when it is its turn.
        """


class InProcess:
    """Run tasks in this process, one after the other."""

    def run(self, count: int, task: Work) -> Iterator[bytes]:
        """Yield the results in order."""
        yield from map(task, range(count))


class Processes:
    """Run tasks in at most `workers` processes, which are given work as they get free.

    Processes start with the first tasks, and end when the pool is left. One run at a time; a run
    whose results are no longer wanted is left, and its last answers are ignored.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: list[_Worker] = []
        self._selector = DefaultSelector()
        self._runs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        self._selector.close()
        for worker in self._pool:
            worker.end()
        self._pool.clear()

    @property
    def processes(self) -> list[int]:
        """List the ids of the processes that were started."""
        return [worker.process.pid for worker in self._pool]

    def run(self, count: int, task: Work) -> Iterator[bytes]:
        """Yield the results in order.

        Raises `NoProcessError` if no process can be started, `DiskError` if one ends too soon.
        """
        packed, answers = pickle.dumps(task), dict[int, Answer]()
        self._runs += 1
        self._start(min(self.workers, count))
        given = 0
        for wanted in range(count):
            while wanted not in answers:
                most = min(count, wanted + MOST_AHEAD * self.workers)
                for worker in self._pool:
                    if worker.is_free and given < most:
                        worker.give(self._runs, given, packed)
                        given += 1
                answers |= {answer.number: answer for answer in self._received()}
            answer = answers.pop(wanted)
            if answer.error:
                raise answer.error
            yield answer.result

    def _start(self, count: int) -> None:
        while len(self._pool) < count:
            # The process inherits what is blocked. A stop of the run comes when the pool knows it.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _BLOCKED)
            try:
                worker = _Worker(_environment(self.workers))
                self._pool.append(worker)
                self._selector.register(worker.answers, EVENT_READ, worker)
            except OSError as problem:
                if self._pool:
                    return
                raise NoProcessError(problem.strerror) from problem
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _received(self) -> Iterator[Answer]:
        """Wait for answers, and yield those of this run."""
        for key, _ in self._selector.select():
            answer = cast(_Worker, key.data).answer()
            if answer.run == self._runs:
                yield answer


class _Worker:
    """A worker process, and the pipes to it and from it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.is_free = True
        self._has_task_of = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM.format([*map(str, sys.path)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.orders = cast(BinaryIO, self.process.stdin)
        self.answers = cast(BinaryIO, self.process.stdout)

    def give(self, run: int, number: int, task: bytes) -> None:
        """Order a task; raises `DiskError` if the process has ended."""
        order = Order(run, number, None if self._has_task_of == run else task)
        self._has_task_of, self.is_free = run, False
        try:
            send(self.orders, pickle.dumps(tuple(order)))
        except OSError:
            raise self._ended() from None

    def answer(self) -> Answer:
        """Receive the answer that has begun to arrive; raises `DiskError` if the process ended."""
        try:
            data = receive(self.answers)
        except EOFError:
            raise self._ended() from None
        self.is_free = True
        return Answer(*pickle.loads(data))

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        close_quietly(self.orders)
        close_quietly(self.answers)
        self.process.wait()

    def _ended(self) -> DiskError:
        code = self.process.wait()
        how = f"ended with exit code {code}"
        if code < 0:
            how = f"was ended by {signal.strsignal(-code) or -code} (signal {-code})"
        return DiskError(
            f"A worker process {how} before its work was done",
            "if memory ran out, run with --workers 1, which needs the least; else run again",
        )


def _environment(workers: int) -> dict[str, str]:
    """Return the environment of each worker, in which the threads of polars share the cores."""
    threads = max(1, usable_cores() // workers)
    return {"POLARS_MAX_THREADS": str(threads), **os.environ}
