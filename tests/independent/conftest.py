"""Tests against other libraries and chance, where those are installed: `make check-independent`."""

from __future__ import annotations

from importlib.util import find_spec

LIBRARIES = ("alphalens", "arch", "empyrical", "statsmodels")

collect_ignore_glob = [] if all(map(find_spec, LIBRARIES)) else ["*"]
