"""Every test here that asks for an engine runs on each of them: `pytest --engines=local,plain`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine
from tests.support.cut_engine import CutEngine
from tests.support.workers import engine_on

MAKERS: dict[str, Callable[[], Engine]] = {
    **ENGINES,
    "cut": CutEngine,
    "workers": engine_on(2, piece_bytes=120),
    "workers5": engine_on(5, piece_bytes=30),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        names = metafunc.config.getoption("--engines").split(",")
        metafunc.parametrize("engine", [MAKERS[name] for name in names], ids=names)
