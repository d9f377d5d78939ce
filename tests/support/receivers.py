"""This module receives what is published: a monitor that holds to its rules, and worse."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

SECRET = "5e7c0ffe"


class Received(NamedTuple):
    """A request: what the end of its path says, the id of the run, the body and the headers."""

    what: str
    rid: UUID | None
    body: bytes
    headers: dict[str, str]


class Monitor(NamedTuple):
    """A server on loopback, what it received, and what ran then; `url` is that of a check."""

    port: int
    received: list[Received]
    commands: set[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ping/{SECRET}"

    def told(self) -> list[str]:
        return [each.what for each in self.received]


@contextmanager
def monitor(code: int = 200, answer: bytes = b"OK") -> Iterator[Monitor]:
    """Serve a monitor as healthchecks: /start or an exit code of 0 to 255, and the id of the run.

    Any other request fails the test.
    """
    received: list[Received] = []
    commands: set[bytes] = set()
    wrong: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            parts = urlsplit(self.path)
            match = re.fullmatch(rf"/ping/{SECRET}/(start|0|[1-9]\d*)", parts.path)
            rid = parse_qs(parts.query).get("rid", [])
            if not match or (match[1] != "start" and int(match[1]) > 255) or len(rid) != 1:
                wrong.append(self.path)
            commands.update(command_lines())
            received.append(
                Received(parts.path.rpartition("/")[2], UUID(rid[0]), body, dict(self.headers))
            )
            self.send_response(code)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with _served(Handler) as port:
        yield Monitor(port, received, commands)
    assert wrong == []


def command_lines() -> Iterator[bytes]:
    """Yield the command lines that `ps` shows."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


def processes_with(name: str, value: str) -> list[int]:
    """Return the processes that have a variable in their environment, besides zombies."""
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{name}={value}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


@contextmanager
def gateway(code: int = 200) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Serve anything that is posted; yields its address, and the paths and bodies."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, body))
            self.send_response(code)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _served(Handler) as port:
        yield f"http://127.0.0.1:{port}", received


@contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def listening(answer: Callable[[socket.socket, threading.Event], object]) -> Iterator[int]:
    """Accept connections, and leave each to `answer` until the end; yields the port."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            answer(connection, over)

    def accept() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                connection, _ = server.accept()
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            for thread in (accepting, *threads):
                thread.join()


def silent(_: socket.socket, over: threading.Event) -> None:
    """Say nothing."""
    over.wait()


def dripping(connection: socket.socket, over: threading.Event) -> None:
    """Send a byte every second."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK":
        connection.sendall(bytes([byte]))
        if over.wait(1):
            break


def closed_port() -> int:
    """Return a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
