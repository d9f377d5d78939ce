"""This module is the main program of a worker process: it runs tasks, and sends their results.

Orders come in on standard input, answers go out on what was standard output, each as its length
and its bytes. A thread reads the orders: at their end, which comes also if the run is killed, the
process ends at once, whatever it is doing. SIGINT and SIGTERM are blocked by the run, which ends
its workers itself.
"""

import gc
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO, NamedTuple

LENGTH_BYTES = 8
# As the command line has them, for the same reasons.
NEW_OBJECTS = 100_000
ONCE_FREED_BYTES = 31 << 20


class Order(NamedTuple):
    """What to do: call the task with a number. `task` is None if it is that of the order before."""

    run: int
    number: int
    task: bytes | None


class Answer(NamedTuple):
    """The result of an order, or the error that it raised."""

    run: int
    number: int
    result: bytes
    error: BaseException | None = None


def serve() -> None:
    """Carry out orders until there are no more."""
    gc.set_threshold(NEW_OBJECTS)
    bytes(ONCE_FREED_BYTES)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever a library prints must not get between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    orders: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(orders,), daemon=True).start()
    task: Callable[[int], bytes] | None = None
    while True:
        order = Order(*pickle.loads(orders.get()))
        try:
            if order.task is not None:
                task = pickle.loads(order.task)
            assert task, "the first order brings the task"
            answer = Answer(order.run, order.number, task(order.number))
        except BaseException as error:
            answer = Answer(order.run, order.number, b"", sendable(error))
        send(answers, pickle.dumps(tuple(answer)))


def send(stream: BinaryIO, data: bytes) -> None:
    """Write a message; raises `OSError`."""
    stream.write(len(data).to_bytes(LENGTH_BYTES, "little"))
    stream.write(data)
    stream.flush()


def receive(stream: BinaryIO) -> bytes:
    """Read a message; raises `EOFError` if the stream ends before it does."""
    length = int.from_bytes(_exactly(stream, LENGTH_BYTES), "little")
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _listen(orders: "SimpleQueue[bytes]") -> None:
    """Pass on all orders, then end the process."""
    try:
        while True:
            orders.put(receive(sys.stdin.buffer))
    finally:
        os._exit(0)


def sendable(error: BaseException) -> BaseException:
    """Return an error as it can be sent, with a note of where it was raised."""
    where = "".join(traceback.format_exception(error))
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        # Such as the panic of a compiled library, whose class has no module.
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"In a worker process:\n{where}")
    return error
