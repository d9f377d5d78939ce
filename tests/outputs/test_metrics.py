"""Facts about the metrics: their keys, the order of the keys, and the one rounded number."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.settings import JobConfig
from rollsignal.core.kernel import Tally
from rollsignal.outputs.metrics import failure, signal_rate, success, to_json
from tests.support.shell import published

CONFIG = JobConfig(seed=42, window=5, version="v1")
ZERO = CONFIG._replace(warmup="zero")
SAMPLE = Tally(rows=10_000, signals=9_996, ones=4_989, ties=114)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    signals = draw(st.integers(1, 10**12))
    ones = draw(st.integers(0, signals))
    missing = draw(st.integers(0, 10**6))
    warm_up = draw(st.integers(0, 10**6))
    return Tally(rows=signals + missing + warm_up, missing=missing, signals=signals, ones=ones)


def test_success_has_the_published_keys_in_their_order() -> None:
    assert list(success(CONFIG, SAMPLE, latency_ms=124).items()) == [
        ("version", "v1"),
        ("rows_processed", 10_000),
        ("metric", "signal_rate"),
        ("value", 0.4991),
        ("latency_ms", 124),
        ("seed", 42),
        ("status", "success"),
    ]


def test_failure_has_the_published_keys_in_their_order() -> None:
    assert list(failure("v1", "Input data file not found").items()) == [
        ("version", "v1"),
        ("status", "error"),
        ("error_message", "Input data file not found"),
    ]


def test_a_version_that_could_not_be_read_is_unknown() -> None:
    assert failure(None, "no config")["version"] == "unknown"


def test_the_two_published_values_are_one_tally_without_and_with_warm_up() -> None:
    assert signal_rate(CONFIG, SAMPLE) == 0.4991
    assert signal_rate(ZERO, SAMPLE) == 0.4989


@given(tallies())
def test_the_value_is_ones_of_signals_rounded_half_even_to_4_places(tally: Tally) -> None:
    assert signal_rate(CONFIG, tally) == float(round(Fraction(tally.ones, tally.signals), 4))


@given(tallies())
def test_with_warmup_zero_the_value_is_ones_of_all_bars(tally: Tally) -> None:
    assert signal_rate(ZERO, tally) == float(round(Fraction(tally.ones, tally.rows), 4))


@given(tallies())
def test_bars_skipped_for_a_missing_close_do_not_count(tally: Tally) -> None:
    config = ZERO._replace(missing="skip")
    bars = tally.rows - tally.missing
    assert signal_rate(config, tally) == float(round(Fraction(tally.ones, bars), 4))


@given(tallies())
def test_bars_in_a_gap_count(tally: Tally) -> None:
    config = ZERO._replace(missing="gap")
    assert signal_rate(config, tally) == float(round(Fraction(tally.ones, tally.rows), 4))


@pytest.mark.parametrize("policy", ["error", "skip", "gap"])
def test_without_the_warm_up_missing_closes_change_nothing(policy: str) -> None:
    config = JobConfig(42, 5, "v1", missing=policy)  # type: ignore[arg-type]  # drawn
    assert signal_rate(config, Tally(rows=100, missing=50, signals=8, ones=2)) == 0.25


@given(quotient=st.integers(0, 9_999))
def test_a_half_goes_to_the_even_neighbour(quotient: int) -> None:
    half = Tally(rows=20_000, signals=20_000, ones=2 * quotient + 1)
    exact = Decimal(2 * quotient + 1) / 20_000
    rounded = exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)
    assert signal_rate(CONFIG, half) == float(rounded)
    assert int(rounded * 10_000) % 2 == 0


@pytest.mark.parametrize(("ones", "value"), [(0, "0.0"), (7, "1.0")])
def test_no_ones_and_all_ones_are_written_as_numbers_with_a_point(ones: int, value: str) -> None:
    document = success(CONFIG, Tally(rows=7, signals=7, ones=ones), latency_ms=0)
    assert f'  "value": {value},\n' in to_json(document)


@given(
    version=st.text(st.characters(exclude_categories=["Cs"]), min_size=1), message=st.text("ü\n")
)
def test_any_version_and_message_are_strict_json_and_are_read_back_exactly(
    version: str, message: str
) -> None:
    document = failure(version, message)
    assert published(to_json(document)) == document


def test_success_is_written_as_published() -> None:
    assert to_json(success(CONFIG, SAMPLE, latency_ms=124)) == (
        "{\n"
        '  "version": "v1",\n'
        '  "rows_processed": 10000,\n'
        '  "metric": "signal_rate",\n'
        '  "value": 0.4991,\n'
        '  "latency_ms": 124,\n'
        '  "seed": 42,\n'
        '  "status": "success"\n'
        "}\n"
    )


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_does_not_have_is_never_written(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"value": number})
