"""Facts about the sender: all targets side by side, one deadline, and reasons without addresses."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from rollsignal.publish.interface import Message, Post, Textfile
from rollsignal.publish.sender import Sending, reason_of, send_all
from tests.support.receivers import closed_port, dripping, gateway, listening, monitor, silent

LONG_S = 30.0


def post(url: str) -> Post:
    return Post(url, b"{}", "application/json")


def sent(*messages: Message, seconds: float = LONG_S) -> list[str]:
    sendings = [Sending("target", message) for message in messages]
    return [reason for _, reason in send_all(sendings, monotonic() + seconds)]


def test_a_message_arrives_once_with_its_body_and_type() -> None:
    with monitor() as check:
        assert sent(post(f"{check.url}/0?rid=5d0a2a0e-6d0e-5d0e-8d0e-5d0a2a0e6d0e")) == []
        (received,) = check.received
    assert (received.what, received.body) == ("0", b"{}")
    assert received.headers["Content-Type"] == "application/json"


def test_a_user_and_a_password_are_sent_as_a_header() -> None:
    with monitor() as check:
        url = check.url.replace("//", "//me:se%40cret@") + "/0?rid=" + "0" * 32
        assert sent(post(url)) == []
        assert check.received[0].headers["Authorization"] == "Basic bWU6c2VAY3JldA=="


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308, 400, 404, 429, 500, 503])
def test_any_answer_but_success_is_a_failure_with_its_number(code: int) -> None:
    with gateway(code) as (url, received):
        assert sent(post(url)) == [f"it answered {code}"]
        assert len(received) == 1


@pytest.mark.parametrize("answer", [b"OK (not found)", b"OK (rate limited)"])
def test_a_monitor_that_took_no_message_is_a_failure(answer: bytes) -> None:
    with monitor(answer=answer) as check:
        (reason,) = sent(post(f"{check.url}/0?rid=" + "0" * 32))
    assert reason == "it answered that it does not know the check, or took no message"


def test_a_closed_port_is_a_failure_with_its_reason() -> None:
    assert sent(post(f"http://127.0.0.1:{closed_port()}/")) == ["Connection refused"]


def test_a_name_that_does_not_resolve_is_a_failure_without_the_name() -> None:
    assert sent(post("http://secret.invalid/")) == ["its name does not resolve"]


def test_what_is_no_http_is_a_failure() -> None:
    def greet(connection: socket.socket, _: object) -> None:
        connection.recv(65536)
        connection.sendall(b"SSH-2.0\r\n")

    with listening(greet) as port:
        (reason,) = sent(post(f"http://127.0.0.1:{port}/"))
    assert reason in ("it does not answer as HTTP does", "Connection reset by peer")


@pytest.mark.parametrize("answer", [silent, dripping])
def test_nobody_waits_longer_than_the_deadline_while_others_are_told(
    answer: Any, tmp_path: Path
) -> None:
    file = Textfile(str(tmp_path / "btc.prom"), "rollsignal_rows 8\n")
    with listening(answer) as port:
        url = f"http://127.0.0.1:{port}/"
        assert sent(post(url), file, post(url), seconds=0.5) == ["no answer in time"] * 2
    assert "rollsignal_rows 8\n" in (tmp_path / "btc.prom").read_text()


def test_without_any_time_left_nothing_is_told() -> None:
    with listening(silent) as port:
        assert sent(post(f"http://127.0.0.1:{port}/"), seconds=0) == ["no answer in time"]


def test_a_file_is_replaced_as_a_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "btc.prom"
    assert sent(Textfile(str(path), "rollsignal_rows 8\n")) == []
    assert sent(Textfile(str(path), "rollsignal_ties 1\n", frozenset({"rollsignal_rows"}))) == []
    assert [each.name for each in path.parent.iterdir()] == ["btc.prom"]
    assert "rollsignal_rows 8\n" in path.read_text()
    assert "rollsignal_ties 1\n" in path.read_text()


def test_a_file_that_cannot_be_made_is_a_failure_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "secret.prom").mkdir()
    (reason,) = sent(Textfile(str(tmp_path / "secret.prom"), ""))
    assert reason == "Output cannot be created: it exists and is not a regular file"


def test_a_certificate_that_is_not_trusted_is_a_failure_without_the_host() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate is not valid for 'secret.example.com'")
    error.reason = "CERTIFICATE_VERIFY_FAILED"
    assert reason_of(error) == "no secure connection: CERTIFICATE_VERIFY_FAILED"


def test_a_bug_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        reason_of(ZeroDivisionError("a bug"))
