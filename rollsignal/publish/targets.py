"""This module reads targets as they are given: a kind, and for some a path or a URL.

What a target is may stand on a command line, which everybody on the host can read. What is secret
is in the environment.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from rollsignal.errors import ConfigError, UsageError
from rollsignal.messages import did_you_mean, is_url, shown
from rollsignal.publish import PUBLISHERS
from rollsignal.publish.interface import Target

_VARIABLES = {
    "heartbeat": "ROLLSIGNAL_HEARTBEAT_URL",
    "prometheus": "ROLLSIGNAL_PUSHGATEWAY_URL",
}
# A grouping key that names the pipeline: without it, each pipeline would replace all others.
_GROUP = re.compile(r"/metrics/job(@base64)?/[^/]+(/[^/]+/[^/]*)*/pipeline(@base64)?/[^/]+(/.*)?$")
_GROUP_HINT = "end it with /metrics/job/rollsignal/pipeline/NAME"


def target_of(text: str) -> Target:
    """Read a target as it is given; raises `UsageError`.

    >>> target_of("prometheus=/var/lib/node_exporter/btc.prom")
    Target(kind='prometheus', address='/var/lib/node_exporter/btc.prom')
    """
    kind, equals, address = text.partition("=")
    if kind not in PUBLISHERS:
        raise UsageError(f"unknown target {shown(kind)}: {did_you_mean(kind, list(PUBLISHERS))}")
    if equals and kind != "prometheus":
        raise UsageError(f"the target {kind} takes no value", _where(kind))
    if equals and is_url(address):
        if "@" in address.partition("://")[2].partition("/")[0]:
            what = "the URL of the target prometheus holds a password, which everybody could read"
            hint = f"write the target prometheus alone, and the URL in {_VARIABLES[kind]}"
            raise UsageError(what, hint)
        _check_gateway(address, UsageError)
    elif equals and not re.fullmatch(r".*[^/]\.prom", address, re.DOTALL):
        raise UsageError("the file of the target prometheus has no name that ends with .prom")
    return Target(kind, address)


def addressed(target: Target, environment: Mapping[str, str]) -> Target:
    """Complete a target by what the environment says; raises `ConfigError`."""
    if target.kind == "otel":
        return target._replace(address=environment.get("TRACEPARENT", ""))
    if target.address:
        return target
    address = environment.get(_VARIABLES[target.kind], "").strip()
    if not address:
        raise ConfigError(f"{_VARIABLES[target.kind]} is not set")
    if target.kind == "prometheus":
        _check_gateway(address, ConfigError)
    _check_url(address, ConfigError)
    return target._replace(address=address)


def _where(kind: str) -> str:
    return f"its URL is in {_VARIABLES[kind]}" if kind in _VARIABLES else ""


def _check_gateway(url: str, error: type[UsageError] | type[ConfigError]) -> None:
    _check_url(url, error)
    if not _GROUP.search(urlsplit(url).path):
        raise error("the URL of a Pushgateway does not name the pipeline", _GROUP_HINT)


def _check_url(url: str, error: type[UsageError] | type[ConfigError]) -> None:
    """Refuse what is no URL of http or https; the message does not show it."""
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not (is_good and url.isascii() and re.fullmatch(r"[!-~]+", url)):
        raise error("the URL is not one of http:// or https://")
