"""Configs as tests write them, and how they are read or refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rollsignal.config.reading import load_config
from rollsignal.config.settings import JobConfig
from rollsignal.errors import ConfigError

ON_ONE_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read(folder: Path, content: str | bytes) -> JobConfig:
    path = folder / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_config(str(path))


def refused(folder: Path, content: str | bytes) -> ConfigError:
    """Return the error, which must name the file."""
    with pytest.raises(ConfigError) as caught:
        read(folder, content)
    assert caught.value.message.startswith(str(folder / "config.yaml"))
    assert caught.value.exit_code == 78
    return caught.value


def with_setting(key: str, value: str) -> str:
    """Write a config with one setting in place of the usual one; it is on the last line."""
    lines = {"seed": "42", "window": "5", "version": '"v1"'}
    lines.pop(key, None)
    return "".join(f"{name}: {usual}\n" for name, usual in lines.items()) + f"{key}: {value}\n"
