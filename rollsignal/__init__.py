"""Turn OHLCV bars into an exact rolling-mean signal, with metrics, logs and proof.

>>> from rollsignal import rolling_signal
>>> rolling_signal(["100.10", "100.10", "100.10", "100.20"], window=3).signals
[None, None, 0, 1]
"""

from rollsignal.version import __version__

__all__ = ["JobError", "RollingSignal", "__version__", "check", "rolling_signal", "run"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rollsignal.api import RollingSignal, check, rolling_signal, run
    from rollsignal.errors import JobError

_HOMES = {"JobError": "rollsignal.errors"}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that the command starts fast."""
    if name not in __all__:
        raise AttributeError(f"module 'rollsignal' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "rollsignal.api")), name)
