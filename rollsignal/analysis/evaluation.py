"""This module declares what `evaluate` finds out about a run; its JSON has the same shape.

The published schema follows from these types. A name that is a keyword of Python has an underscore
at its end, which the JSON has not.
"""

from typing import Any, NamedTuple

from rollsignal.analysis.excess import Excess
from rollsignal.analysis.forward import Forward
from rollsignal.analysis.fragility import Fragility
from rollsignal.outputs.record.declared import object_schema, type_schema
from rollsignal.outputs.record.validation import Schema

EVALUATION = "urn:rollsignal:schema:evaluation:1"


class EvaluatedRun(NamedTuple):
    """What was evaluated; times are ISO 8601 in UTC, None without timestamps."""

    path: str
    window: int
    symbols: int
    bars: int
    signals: int
    first: str | None
    last: str | None


class Reckoning(NamedTuple):
    """The settings of the figures; `seed` is that of the resamples."""

    horizons: list[int]
    delay: int
    cost_bp: float
    bars_per_year: float | None
    seed: int


class Rate(NamedTuple):
    """The signal rate, and how it went over periods that are counted back from the last bar."""

    value: float | None
    period: str | None
    last: float | None
    usual: list[float] | None
    range: list[float] | None


class Coverage(NamedTuple):
    """The last time of all, and the symbols whose last bar is before it."""

    last: str | None
    late: int | None
    first_late: list[str]


class Performance(NamedTuple):
    """What became of 1, a year, and how deep it fell in between, from when until when."""

    growth: float | None
    return_per_year: float | None
    volatility: float | None
    sharpe: float | None
    max_drawdown: float | None
    from_: str | None
    bottom: str | None
    until: str | None


NO_PERFORMANCE = Performance(*(None for _ in Performance._fields))


class Trading(NamedTuple):
    """What holding the price while the signal is 1 makes; `held` is holding it all the time."""

    bars_per_year: float | None
    time_in_market: float | None
    flips: int
    trades: int
    holding_bars: float | None
    break_even_bp: float | None
    net: Performance
    gross: Performance
    held: Performance


class Judgement(NamedTuple):
    """A judgement, and its reasons in words; None where there is too little to judge by."""

    verdict: str | None
    why: list[str]


class Verdicts(NamedTuple):
    """Can the figures be trusted (ok or look), and is the signal any good (ok, look, none, bad)?"""

    trust: Judgement
    good: Judgement


NO_VERDICTS = Verdicts(Judgement(None, []), Judgement(None, []))


class Evaluation(NamedTuple):
    """All that is found out about a run; `undefined` counts the closes that are not above 0."""

    run: EvaluatedRun
    settings: Reckoning
    rate: Rate
    fragility: Fragility
    coverage: Coverage
    forward: list[Forward]
    trading: Trading
    excess: Excess
    undefined: int
    verdicts: Verdicts


def as_json(value: Any) -> Any:
    """Return figures as a JSON value."""
    if hasattr(value, "_asdict"):
        items = value._asdict().items()
        return {name.removesuffix("_"): as_json(item) for name, item in items}
    return list(map(as_json, value)) if isinstance(value, list | tuple) else value


def evaluation_json(evaluation: Evaluation) -> dict[str, object]:
    """Return an evaluation as a JSON document."""
    return {"schema": EVALUATION, **as_json(evaluation)}


def evaluation_schema() -> Schema:
    """Describe an evaluation in JSON Schema."""
    schema = type_schema(Evaluation)
    properties = {"schema": {"const": EVALUATION}, **schema["properties"]}
    return {
        "$id": EVALUATION,
        "title": "The evaluation of a rollsignal run",
        **object_schema(**properties),
    }
