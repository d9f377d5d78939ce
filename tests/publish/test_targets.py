"""Facts about targets: how they are given, and what their addresses may be."""

from __future__ import annotations

import pytest

from rollsignal.errors import ConfigError, UsageError
from rollsignal.publish.interface import Target
from rollsignal.publish.targets import addressed, target_of

GATEWAY = "http://host:9091/metrics/job/rollsignal/pipeline/btc"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("heartbeat", Target("heartbeat")),
        ("prometheus", Target("prometheus")),
        ("prometheus=btc.prom", Target("prometheus", "btc.prom")),
        ("prometheus=/a=b/btc.prom", Target("prometheus", "/a=b/btc.prom")),
        (f"prometheus={GATEWAY}", Target("prometheus", GATEWAY)),
        (f"prometheus={GATEWAY}/", Target("prometheus", f"{GATEWAY}/")),
        (
            "prometheus=https://h/x/metrics/job@base64/cg/a/b/pipeline@base64/YnRj/c/d",
            Target("prometheus", "https://h/x/metrics/job@base64/cg/a/b/pipeline@base64/YnRj/c/d"),
        ),
    ],
)
def test_a_target_is_a_kind_and_for_some_an_address(text: str, target: Target) -> None:
    assert target_of(text) == target


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heartbaet", "unknown target 'heartbaet': did you mean heartbeat?"),
        ("heartbeat=https://hc/secret", "the target heartbeat takes no value"),
        ("prometheus=", "no name that ends with .prom"),
        ("prometheus=.prom", "no name that ends with .prom"),
        ("prometheus=out/.prom", "no name that ends with .prom"),
        ("prometheus=out/btc.txt", "no name that ends with .prom"),
        ("prometheus=http://host:9091", "does not name the pipeline"),
        ("prometheus=http://host:9091/metrics/job/rollsignal", "does not name the pipeline"),
        ("prometheus=http://host:9091/metrics/job/pipeline/btc", "does not name the pipeline"),
        ("prometheus=ftp://host/metrics/job/a/pipeline/b", "not one of http:// or https://"),
        ("prometheus=http://:9/metrics/job/a/pipeline/b", "not one of http:// or https://"),
        ("prometheus=http://h:x/metrics/job/a/pipeline/b", "not one of http:// or https://"),
        ("prometheus=http://h /metrics/job/a/pipeline/b", "not one of http:// or https://"),
        (f"prometheus={GATEWAY.replace('host', 'me:secret@host')}", "holds a password"),
    ],
)
def test_what_is_no_target_is_refused_without_its_url(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        target_of(text)
    assert message in str(refused.value)
    assert "host" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("target", "url"),
    [("heartbeat", "https://hc/uuid"), ("prometheus", GATEWAY.replace("host", "me:pw@host"))],
)
def test_an_address_that_is_not_given_is_in_the_environment(target: str, url: str) -> None:
    names = {"ROLLSIGNAL_HEARTBEAT_URL": url, "ROLLSIGNAL_PUSHGATEWAY_URL": f" {url}\n"}
    assert addressed(target_of(target), names) == Target(target, url)


@pytest.mark.parametrize("url", ["", "hc/uuid", "https://", "file:///etc/passwd", "https://h/ü"])
def test_an_address_of_the_environment_that_is_no_url_is_refused_without_it(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        addressed(Target("heartbeat"), {"ROLLSIGNAL_HEARTBEAT_URL": url})
    assert str(refused.value) in (
        "ROLLSIGNAL_HEARTBEAT_URL is not set",
        "the URL is not one of http:// or https://",
    )


def test_a_target_with_an_address_needs_no_environment() -> None:
    assert addressed(Target("prometheus", "btc.prom"), {}) == Target("prometheus", "btc.prom")
