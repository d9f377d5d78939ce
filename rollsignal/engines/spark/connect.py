"""This module asks whether a server of Spark Connect answers at all, before PySpark does.

PySpark would ask again and again, for ten minutes.
"""

import os
import socket
import time
from urllib.parse import urlsplit

from rollsignal.errors import ConfigError

USUAL_PORT = 15002
# A server that was started a moment ago gets this time. Each attempt takes a few seconds at most.
WAIT_S, ATTEMPT_S, PAUSE_S = 15.0, 5.0, 0.5
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
_SERVER_HINT = "start the server, or set SPARK_REMOTE to where it is, such as sc://host:15002"


def check_server() -> None:
    """Raise `ConfigError` if nothing listens where `SPARK_REMOTE` says that a server is.

    Behind a proxy, only PySpark can tell.
    """
    remote = os.environ.get("SPARK_REMOTE", "")
    if not remote.startswith("sc://") or any(map(os.environ.get, _PROXIES)):
        return
    try:
        url = urlsplit(remote)
        host, port = url.hostname, url.port or USUAL_PORT
    except ValueError:
        host = None
    if host is None:
        # PySpark says what is wrong with it.
        return
    _wait_for(host, port)


def _wait_for(host: str, port: int) -> None:
    end = time.monotonic() + WAIT_S
    while True:
        try:
            socket.create_connection((host, port), ATTEMPT_S).close()
        except OSError as problem:
            if time.monotonic() > end:
                what = f"No server of Spark Connect answers at {host}:{port}"
                reason = problem.strerror or str(problem)
                raise ConfigError(f"{what}: {reason}", _SERVER_HINT) from problem
            time.sleep(PAUSE_S)
        else:
            return
