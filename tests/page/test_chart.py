"""Facts about the chart in a browser: what is drawn, what is read out, and what changes it."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rollsignal.analysis.decided_run import DecidedRun, decided_run
from rollsignal.commands.explain import document, explain
from rollsignal.core.kernel import NO_SIGNAL
from tests.support.pages import Open, page_of, run_of, series_of, wait_until
from tests.support.shell import ROOT, command

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECOND = 10**9
START = 1_704_067_200
HOSTILE = (
    "<script>said()</script>",
    '"><img src=x onerror=said()>',
    "</script>",
    "=1+1",
    "a\u202eb",
)
TICKS = re.compile(r"^([+\u2212]?[\d,]+) ticks? of (\S+)$")


def minutes(count: int) -> list[int]:
    return [(START + 60 * number) * SECOND for number in range(count)]


def walk(bars: int, seed: int = 1) -> list[int]:
    """Return closes of a random walk of small steps, in which there are ties."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return [int(close) for close in 10_000 + np.cumsum(rng.integers(-4, 5, bars))]


def walked(bars: int = 3000, window: int = 5, **more: Any) -> DecidedRun:
    series = series_of(walk(bars), window, times_ns=minutes(bars), **more)
    return run_of(series, window=window)


def fact(page: Page, name: str) -> str:
    found = page.query_selector(f'#chart-line [data-fact="{name}"]')
    return "" if found is None else found.inner_text()


def number(text: str) -> Fraction:
    return Fraction(text.replace(",", "").replace("\u2212", "-").removeprefix("+"))


def read_out(page: Page) -> dict[str, Any]:
    """Return what the line below the chart says of a bar, as numbers."""
    ticks = TICKS.match(fact(page, "margin"))
    return {
        "timestamp": page.get_attribute("#chart-line time", "datetime"),
        "close": number(fact(page, "close")),
        "mean": float(number(fact(page, "mean"))),
        "margin": number(ticks[1]) * number(ticks[2]) if ticks else None,
        "signal": fact(page, "signal"),
    }


def explained(folder: Path, at: str) -> dict[str, Any]:
    """Return the same from `explain`, which reads the bars themselves."""
    bars, config = str(folder / "data.csv"), str(folder / "config.yaml")
    told = document(explain([bars], config, at, None, lambda *_: None))
    written: Any = told["bars"]
    return {
        "timestamp": told["timestamp"],
        "close": Fraction(written[-1]["close"]),
        "mean": told["rolling_mean"],
        "margin": Fraction(str(told["margin_ticks"])) * Fraction(str(told["tick"])),
        "signal": f"{told['signal']}, a tie" if told["tie"] else str(told["signal"]),
    }


def picture(page: Page) -> bytes:
    wait_until(page, "true")
    pixels: str = page.evaluate("document.querySelector('#chart canvas').toDataURL()")
    return pixels.encode()


def colours(page: Page) -> int:
    """Count the colours of the chart; a blank one has a single one."""
    counted: int = page.evaluate(
        """() => {
          const canvas = document.querySelector('#chart canvas');
          const copy = new OffscreenCanvas(canvas.width, canvas.height);
          const ctx = copy.getContext('2d', { willReadFrequently: true });
          ctx.drawImage(canvas, 0, 0);
          const { data } = ctx.getImageData(0, 0, copy.width, copy.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    return counted


def plot_box(page: Page) -> tuple[float, float, float, float]:
    box = page.locator("#chart .u-over").bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Decide the sample, and leave its signals and its record in a folder."""
    folder = tmp_path_factory.mktemp("sample")
    for name in ("data.csv", "config.yaml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    paths = {"input": "data.csv", "config": "config.yaml", "record": "r.json"}
    paths |= {"signals": "s.parquet", "output": "metrics.json", "log-file": "run.log"}
    flags = [f"--{flag}={folder / name}" for flag, name in paths.items()]
    assert command("run", *flags) == 0
    return folder


def test_the_chart_of_the_sample_is_not_blank(opened: Open, sample: Path) -> None:
    page = opened(page_of(decided_run(str(sample / "r.json"))))
    assert colours(page) > 20
    assert page.inner_text("#chart-line").startswith("2024-01-07 22:39 UTC")


def test_the_ones_counted_in_the_page_are_the_tally_of_the_run(opened: Open, sample: Path) -> None:
    page = opened(page_of(decided_run(str(sample / "r.json"))))
    metrics = json.loads((sample / "metrics.json").read_text())
    counted = page.evaluate("({...document.getElementById('chart-note').dataset})")
    assert counted == {"bars": "10000", "signals": "9996", "ones": "4989"}
    assert round(4989 / 9996, 4) == metrics["value"]
    assert page.inner_text("#chart-note") == "All 10,000 bars; 4,989 of 9,996 signals are 1."


def test_at_full_zoom_the_read_out_equals_explain(opened: Open, sample: Path) -> None:
    page = opened(page_of(decided_run(str(sample / "r.json"))))
    page.focus("#chart-plot")
    page.keyboard.press("Shift+ArrowLeft")
    for _ in range(16):
        page.keyboard.press("+")
    ties = 0
    for _ in range(50):
        shown = read_out(page)
        assert shown == explained(sample, shown["timestamp"])
        ties += "tie" in shown["signal"]
        page.keyboard.press("ArrowLeft" if ties % 2 else "Shift+ArrowLeft")


def test_the_bar_under_the_cursor_is_read_out_as_explain_does(opened: Open, sample: Path) -> None:
    page = opened(page_of(decided_run(str(sample / "r.json"))))
    page.click("[data-do=last100]")
    picture(page)
    x, y, width, height = plot_box(page)
    for bar in range(0, 100, 2):
        page.mouse.move(x + width * (bar + 0.5) / 100, y + height / 2)
        shown = read_out(page)
        assert shown == explained(sample, f"row:{10_000 - 99 + bar}")


def test_every_bar_in_the_page_is_the_one_of_the_run(opened: Open) -> None:
    times = np.cumsum(np.random.Generator(np.random.PCG64(2)).integers(0, 10**11, 400)).tolist()
    closes = [*walk(200), *(10**17 * number for number in range(-100, 100))]
    wide = series_of(closes, 3, symbol="b", times_ns=[-(10**13) + time for time in times])
    runs = run_of(series_of(walk(300), 3, symbol="a"), wide, window=3)
    page = opened(page_of(runs))
    for series in runs.series:
        page.select_option("#chart-symbol", label=series.symbol)
        page.focus("#chart-plot")
        page.keyboard.press("Home")
        for bar, tick in enumerate(series.closes.tolist()):
            assert number(fact(page, "close")) == Fraction(tick, 100)
            signal = series.signals[bar]
            told = "none, warm-up" if signal == NO_SIGNAL else str(signal)
            assert fact(page, "signal").removesuffix(", a tie") == told
            if series.times_ns is not None:
                whole, part = divmod(int(series.times_ns[bar]), SECOND)
                stamp = np.datetime64(whole, "s")
                assert page.get_attribute("#chart-line time", "datetime") == f"{stamp}.{part:09}Z"
            page.keyboard.press("ArrowRight")


def test_wheel_drag_keys_and_buttons_change_what_is_drawn(opened: Open) -> None:
    page = opened(page_of(walked()))
    x, y, width, height = plot_box(page)
    seen = [picture(page)]
    page.mouse.move(x + width / 2, y + height / 2)
    page.mouse.wheel(0, -400)
    seen.append(picture(page))
    page.mouse.down()
    page.mouse.move(x + width / 2 + 90, y + height / 2, steps=4)
    page.mouse.up()
    seen.append(picture(page))
    page.focus("#chart-plot")
    for key in ("+", "+", "-"):
        page.keyboard.press(key)
        seen.append(picture(page))
    for deed in ("last1000", "last100", "in", "out", "all"):
        page.click(f"[data-do={deed}]")
        seen.append(picture(page))
    assert all(before != after for before, after in pairwise(seen))
    assert seen[-1] == seen[0]


def test_keys_step_from_bar_to_bar(opened: Open) -> None:
    page = opened(page_of(run_of(series_of(walk(3000), 5), window=5)))
    page.focus("#chart-plot")
    keys = {
        "Home": 1, "ArrowRight": 2, "Shift+ArrowRight": 12, "ArrowLeft": 11, "Shift+ArrowLeft": 1,
        "End": 3000,
    }  # fmt: skip
    for key, bar in keys.items():
        page.keyboard.press(key)
        assert page.inner_text("#chart-line time") == f"bar {bar:,}"
    buttons = {"first": 1, "next": 2, "end": 3000, "back": 2999}
    for deed, bar in buttons.items():
        page.click(f"[data-do={deed}]")
        assert page.inner_text("#chart-line time") == f"bar {bar:,}"
    page.click("[data-do=back]", modifiers=["Shift"])
    assert page.inner_text("#chart-line time") == "bar 2,989"


def test_keys_of_the_browser_stay_those_of_the_browser(opened: Open) -> None:
    page = opened(page_of(walked()))
    before = picture(page)
    page.focus("#chart-plot")
    page.evaluate(
        "document.addEventListener('keydown', (event) => { window.kept = event.defaultPrevented; })"
    )
    page.keyboard.press("Control+0")
    assert page.evaluate("window.kept") is False
    assert picture(page) == before


def test_the_page_scrolls_where_the_chart_cannot_zoom_out(opened: Open) -> None:
    page = opened(page_of(walked()), viewport={"width": 900, "height": 300})
    x, y, width, _ = plot_box(page)
    page.mouse.move(x + width / 2, y + 20)
    page.mouse.wheel(0, 200)
    wait_until(page, "window.scrollY > 0")


def test_a_turn_of_the_wheel_that_began_beside_the_chart_scrolls_on(opened: Open) -> None:
    page = opened(page_of(walked()))
    taken = page.evaluate(
        """() => {
          const [chart, beside] = [document.querySelector('.u-over'), document.querySelector('h2')];
          return [chart, beside, chart, chart].map((target) => {
            const given = { deltaY: -50, bubbles: true, cancelable: true, clientX: 600 };
            return !target.dispatchEvent(new WheelEvent('wheel', given));
          });
        }"""
    )
    assert taken == [True, False, False, False]


def test_two_fingers_zoom_and_one_moves(opened: Open) -> None:
    page = opened(page_of(walked()), has_touch=True)
    x, y, width, height = plot_box(page)
    touches = page.context.new_cdp_session(page)

    def touch(kind: str, *places: float) -> None:
        points = [
            {"x": x + width * place, "y": y + height / 2, "id": at}
            for at, place in enumerate(places)
        ]
        touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    seen = [picture(page)]
    touch("touchStart", 0.45, 0.55)
    for spread in (0.1, 0.2, 0.3):
        touch("touchMove", 0.45 - spread, 0.55 + spread)
    touch("touchEnd")
    seen.append(picture(page))
    touch("touchStart", 0.5)
    for place in (0.55, 0.6, 0.7):
        touch("touchMove", place)
    touch("touchEnd")
    seen.append(picture(page))
    assert len(set(seen)) == 3
    before = page.inner_text("#chart-line")
    page.touchscreen.tap(x + width * 0.3, y + height / 2)
    wait_until(page, f"document.getElementById('chart-line').innerText !== {json.dumps(before)}")


def test_names_of_symbols_are_text(opened: Open) -> None:
    series = [series_of(walk(50), 3, symbol=name) for name in HOSTILE]
    page = opened(page_of(run_of(*series, window=3)), before="window.said = () => alert('said')")
    names = page.locator("#chart-symbol option").all_inner_texts()
    assert names == [*HOSTILE[:-1], "a\\u202eb"]
    for name in names:
        page.select_option("#chart-symbol", label=name)
        assert page.locator("#chart img, #chart script").count() == 0


def test_each_symbol_of_a_panel_is_opened_and_counted(opened: Open) -> None:
    series = [series_of(walk(60 + at, at), 3, symbol=f"S{at}") for at in range(5)]
    run = run_of(*series, window=3)
    page = opened(page_of(run))
    ones = bars = 0
    for each in series:
        page.select_option("#chart-symbol", label=each.symbol)
        counted = page.evaluate("({...document.getElementById('chart-note').dataset})")
        ones, bars = ones + int(counted["ones"]), bars + int(counted["bars"])
        assert number(fact(page, "close")) == Fraction(int(each.closes[-1]), 100)
    assert (ones, bars) == (run.tally.ones, run.tally.rows)


def test_without_scripts_the_page_says_what_is_missing(opened: Open) -> None:
    page = opened(page_of(walked()), state="", java_script_enabled=False)
    assert "needs JavaScript" in page.inner_text("#signal")
    assert not page.is_visible("#chart")


def test_an_older_browser_is_told(opened: Open) -> None:
    page = opened(page_of(walked()), state="", before="delete window.DecompressionStream")
    page.wait_for_selector("#chart-problem")
    assert "of before 2023" in page.inner_text("#chart-problem")
    assert not page.is_visible("#chart")


def test_a_missing_close_breaks_the_windows_and_is_said(opened: Open) -> None:
    closes: list[int | None] = [*walk(40)]
    closes[20] = closes[39] = None
    page = opened(page_of(run_of(series_of(closes, 5, times_ns=minutes(40)), window=5)))
    assert fact(page, "then") == "a missing close"
    assert page.inner_text("#chart-note").endswith("2 more bars have no close.")
    page.focus("#chart-plot")
    page.keyboard.press("Home")
    assert fact(page, "signal") == "none, warm-up"
    for _ in range(19):
        page.keyboard.press("ArrowRight")
    assert fact(page, "then") == "a missing close"
    for _ in range(4):
        page.keyboard.press("ArrowRight")
        assert fact(page, "signal") == "none, a close before it is missing"
    page.keyboard.press("ArrowRight")
    assert fact(page, "signal") in ("0", "1", "0, a tie")


def test_a_window_that_begins_before_the_page_is_not_guessed(opened: Open) -> None:
    run = walked(300, window=50)
    page = opened(page_of(run, most=60))
    assert page.inner_text("#chart-note").startswith("The last 60 of 300 bars")
    assert fact(page, "margin") != ""
    page.focus("#chart-plot")
    page.keyboard.press("Home")
    assert fact(page, "signal") == str(run.series[0].signals[240])
    assert "begins before this page" in fact(page, "mean and margin")
    page = opened(page_of(run, most=20))
    assert "is longer than what is in this page" in page.inner_text("#chart-note")
    assert not page.locator("#chart-legend li", has_text="rolling mean").is_visible()


@pytest.mark.parametrize(("base", "factor"), [(0, 2**48), (0, 10**30), (10**20, 1), (2**50, 1)])
def test_numbers_beyond_safe_ones_are_shown_without_a_margin(
    opened: Open, base: int, factor: int
) -> None:
    closes = [base + close * factor for close in walk(100)]
    page = opened(page_of(run_of(series_of(closes, 5, scale=3), window=5)))
    assert number(fact(page, "close")) == Fraction(closes[-1], 1000)
    assert fact(page, "margin") == ""
    assert fact(page, "signal") in ("0", "1")
    assert "more digits than a browser computes with" in page.inner_text("#chart-note")
    assert colours(page) > 5


@pytest.mark.parametrize(
    "closes", [[4_212_345], [100] * 30, [-5, 0, 5, 0, -5], list(range(90, 0, -1))]
)
def test_one_bar_flat_prices_and_prices_below_zero_are_drawn(
    opened: Open, closes: list[int]
) -> None:
    page = opened(page_of(run_of(series_of(closes, 1), window=1)))
    assert number(fact(page, "close")) == Fraction(closes[-1], 100)
    assert fact(page, "signal") == "0, a tie"
    assert colours(page) > 3
    for key in ("+", "-", "ArrowLeft", "End", "0"):
        page.focus("#chart-plot")
        page.keyboard.press(key)
        assert colours(page) > 3


def test_times_out_of_order_label_bars_by_their_numbers(opened: Open) -> None:
    times = [time for pair in zip(minutes(40)[20:], minutes(20), strict=True) for time in pair]
    page = opened(page_of(run_of(series_of(walk(40), 3, times_ns=times), window=3)))
    assert page.get_attribute("#chart-line time", "datetime") == "2024-01-01T00:19:00Z"
    assert colours(page) > 5


@pytest.mark.parametrize("width", [320, 390, 1280, 2000])
def test_the_page_never_scrolls_sideways(opened: Open, width: int) -> None:
    series = [series_of(walk(90), 3, symbol=name * 40) for name in "ab"]
    text = page_of(run_of(*series, window=3))
    page = opened(text, viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_change_of_the_scheme_of_colours_is_followed(opened: Open) -> None:
    page = opened(page_of(walked()), color_scheme="light")
    light = picture(page)
    page.emulate_media(color_scheme="dark")
    now = "document.querySelector('#chart canvas').toDataURL()"
    wait_until(page, f"{now} !== {json.dumps(light.decode())}")


def test_a_million_bars_are_ready_in_five_times_what_the_sample_takes(
    opened: Open, sample: Path
) -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    closes = 5_000_000 + np.cumsum(np.round(rng.standard_normal(10**6) * 300).astype(np.int64))
    sums = np.concatenate(([0], np.cumsum(closes)))
    signals = np.full(10**6, NO_SIGNAL, np.uint8)
    signals[19:] = 20 * closes[19:] > sums[20:] - sums[:-20]
    times = (START + 60 * np.arange(10**6)) * SECOND
    series = series_of([1], 1, times_ns=[0])._replace(
        closes=closes, signals=signals, times_ns=times, rows=10**6
    )
    small, large = page_of(decided_run(str(sample / "r.json"))), page_of(run_of(series, window=20))
    assert len(large) < 3.5 * 10**6
    pairs = [(seconds(opened, small), seconds(opened, large)) for _ in range(5)]
    least_small, least_large = (min(each) for each in zip(*pairs, strict=True))
    assert least_large <= 5 * least_small, pairs


def seconds(opened: Open, text: str) -> float:
    """Return how long a page takes from its opening until its chart is there."""
    watch = """new MutationObserver((_, observer) => {
      if (!document.querySelector('#chart[data-state]')) return;
      observer.disconnect();
      requestAnimationFrame(() => { window.readyAt = performance.now() / 1000; });
    }).observe(document, { subtree: true, childList: true, attributes: true });"""
    page = opened(text, before=watch)
    wait_until(page, "window.readyAt")
    taken: float = page.evaluate("window.readyAt")
    page.close()
    return taken
