"""This module sends messages to all targets side by side, and returns what failed at a deadline.

Every message has a thread of its own, which nobody waits for after the deadline: not for a name
that does not resolve, nor for a server that sends a byte a second.
"""

import base64
import http.client
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from rollsignal.errors import DiskError, JobError
from rollsignal.files.locks import held
from rollsignal.files.replace import replace
from rollsignal.publish.interface import Message, Post, RunTrace
from rollsignal.publish.prometheus import with_kept
from rollsignal.version import __version__

MOST_ANSWER_BYTES = 200
_REASONS_OF_FAILURE: dict[type[Exception], str] = {
    TimeoutError: "no answer in time",
    socket.gaierror: "its name does not resolve",
    http.client.HTTPException: "it does not answer as HTTP does",
}
Clock = Callable[[], float]


class Sending(NamedTuple):
    """A message, and the kind of the target that it is for."""

    kind: str
    message: Message


def send_all(
    sendings: Sequence[Sending], deadline: float, clock: Clock = monotonic
) -> list[tuple[str, str]]:
    """Send all messages; return the kind and the reason of each that was not delivered.

    deadline: in the seconds of the clock. A bug in a thread is raised here.
    """
    ended: SimpleQueue[tuple[int, BaseException | None]] = SimpleQueue()
    for number, sending in enumerate(sendings):
        arguments = (number, sending.message, deadline - clock(), ended)
        Thread(target=_send_and_tell, args=arguments, daemon=True).start()
    failures = dict.fromkeys(range(len(sendings)), "no answer in time")
    with suppress(Empty):
        for _ in sendings:
            number, error = ended.get(timeout=max(0, deadline - clock()))
            del failures[number]
            if error:
                failures[number] = reason_of(error)
    return [(sendings[number].kind, failures[number]) for number in sorted(failures)]


def reason_of(error: BaseException) -> str:
    """Return why a message was not delivered, without any part of an address.

    Raises the error if it is a bug.
    """
    if isinstance(error, URLError) and isinstance(error.reason, OSError):
        error = error.reason
    if isinstance(error, JobError):
        return error.message
    if isinstance(error, HTTPError):
        return f"it answered {error.code}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {error.reason}"
    for kind, reason in _REASONS_OF_FAILURE.items():
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    raise error


def _send_and_tell(
    number: int, message: Message, seconds: float, ended: "SimpleQueue[Any]"
) -> None:
    try:
        if isinstance(message, Post):
            _post(message, seconds)
        elif isinstance(message, RunTrace):
            from rollsignal.publish.exporter import export

            export(message, seconds)
        else:
            with held([message.path], max(0, seconds)):
                former = _former(message.path) if message.kept else ""
                replace(message.path, with_kept(message.text, former, message.kept))
    except BaseException as error:
        ended.put((number, error))
    else:
        ended.put((number, None))


def _former(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            return file.read()
    except FileNotFoundError:
        return ""


class _NoRedirect(HTTPRedirectHandler):
    """Follow no redirect: a POST would become a GET without its body."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Return None, so that the redirect is an error."""


def _post(message: Post, seconds: float) -> None:
    """Post a body; raises `OSError`, `HTTPException`, or `DiskError` for an answer that refuses."""
    url, authorization = _side_by_side(message.url)
    headers = {"Content-Type": message.content_type, "User-Agent": f"rollsignal/{__version__}"}
    request = Request(url, message.body, headers | authorization, method="POST")
    with build_opener(_NoRedirect).open(request, timeout=max(0.001, seconds)) as response:
        answer = response.read(MOST_ANSWER_BYTES)
    # healthchecks says so with 200: "OK (not found)", "OK (rate limited)".
    if answer.startswith(b"OK ("):
        raise DiskError("it answered that it does not know the check, or took no message")


def _side_by_side(url: str) -> tuple[str, dict[str, str]]:
    """Return a URL without its user and password, and the header that has them."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, {}
    from urllib.parse import unquote

    encoded = base64.b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), {"Authorization": f"Basic {encoded}"}
