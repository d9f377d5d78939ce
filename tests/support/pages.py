"""This module makes small pages around the chart, and the runs that are shown in them."""

from __future__ import annotations

from base64 import b64encode
from bisect import bisect
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.config.settings import JobConfig
from rollsignal.core.kernel import NO_SIGNAL, Carry, advance
from rollsignal.core.ticks import Ticks
from rollsignal.report.bars import packed_bars
from rollsignal.report.markup import Markup, element, together
from rollsignal.report.scripts import scripts, styles
from rollsignal.report.signal_section import signal_section

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[..., "Page"]
"""Opens the text of a page in a browser."""


def wait_until(page: Page, condition: str) -> None:
    """Wait for the next frame of a page at which a condition holds; the policy forbids `eval`."""
    met = page.evaluate(
        f"""async () => {{
          for (let frame = 0; frame < 600; frame++) {{
            await new Promise(requestAnimationFrame);
            if ({condition}) return true;
          }}
          return false;
        }}"""
    )
    assert met, f"it was never the case that {condition}"


# The look of the page around the chart, as little as it takes.
_PLAIN = """
:root { color-scheme: light dark; --text: #10151c; --muted: #59636f; --line: #e3e7ec; --card: #fff;
  --blue: #1f6feb; }
@media (prefers-color-scheme: dark) { :root { --text: #e8ecf2; --muted: #97a3b3; --line: #232d39;
  --card: #141b23; --blue: #5c9dff; } body { background: #0c1117 !important; } }
body { margin: 0 auto; max-width: 1180px; padding: 24px 16px; font: 14px/1.5 system-ui, sans-serif;
  color: var(--text); background: #f6f8fa; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 14px; }
.lead { color: var(--muted); } h2 { font-size: 18px; }
table { width: 100%; border-collapse: collapse; } td, th { text-align: left; padding: 4px; }
th button, td button { font: inherit; background: none; border: 0; color: inherit; padding: 0; }
.spark svg { width: 96px; height: 20px; } .spark polyline { fill: none; stroke: var(--blue); }
"""


def page_of(run: DecidedRun, *more: Markup, most: int = 1_000_000) -> str:
    """Return a page that shows a run, with the policy of contents of a real one."""
    codes, looks = scripts(), [_PLAIN, *styles()]
    policy = "; ".join(
        [
            "default-src 'none'",
            "script-src " + " ".join(map(_hash, codes)),
            "style-src " + " ".join(map(_hash, looks)),
        ]
    )
    head = together(
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("title", "A page"),
        *(element("style", Markup(look)) for look in looks),
    )
    packed = packed_bars(run, most)
    bars = element("script", Markup(packed.json), type="application/json", id="bars")
    body = [
        signal_section(packed),
        *more,
        bars,
        *(element("script", Markup(code)) for code in codes),
    ]
    parts = element("head", head), element("body", *body)
    return "<!doctype html>" + element("html", *parts, lang="en")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def series_of(
    closes: Sequence[int | None],
    window: int,
    *,
    symbol: str = "",
    scale: int = 2,
    times_ns: Sequence[int] | None = None,
) -> PastSeries:
    """Decide a series, and return it as it is loaded; None is a missing close."""
    margins = advance(Carry(window), Ticks(list(closes), scale))[0].margins
    there = [at for at, close in enumerate(closes) if close is not None]
    decided = [margins[at] for at in there]
    signals = [NO_SIGNAL if margin is None else int(margin > 0) for margin in decided]
    ticks = [close for close in closes if close is not None]
    is_wide = any(abs(tick) >= 2**63 for tick in ticks)
    gaps = {bisect(there, at) for at, close in enumerate(closes) if close is None}
    return PastSeries(
        symbol,
        np.array(ticks, dtype=object if is_wide else np.int64),
        scale,
        np.array(signals, dtype=np.uint8),
        None if times_ns is None else np.array([times_ns[at] for at in there]),
        len(closes),
        None if times_ns is None else min(times_ns),
        None if times_ns is None else max(times_ns),
        np.array(sorted(gaps), dtype=np.int64),
    )


def run_of(*series: PastSeries, window: int) -> DecidedRun:
    """Return a run of these series, as it is loaded from bare signals."""
    config = JobConfig(seed=0, window=window, version="page")
    return DecidedRun("signals.parquet", config, None, list(series), True)
