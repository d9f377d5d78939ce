"""This module builds the metrics of a run, as the JSON that the file and stdout both show."""

import json

from rollsignal.config import JobConfig
from rollsignal.kernel import Tally

UNIT = 10**4


def success(config: JobConfig, tally: Tally, latency_ms: int) -> dict[str, object]:
    """Build the metrics of a run that succeeded, keys in their published order."""
    return {
        "version": config.version,
        "rows_processed": tally.rows,
        "metric": "signal_rate",
        "value": signal_rate(config, tally),
        "latency_ms": latency_ms,
        "seed": config.seed,
        "status": "success",
    }


def failure(version: str | None, message: str) -> dict[str, object]:
    """Build the metrics of a run that failed."""
    return {"version": version or "unknown", "status": "error", "error_message": message}


def signal_rate(config: JobConfig, tally: Tally) -> float:
    """Compute ones / bars that count, rounded half-even to 4 places from the whole numbers.

    Bars that count have a signal (`warmup: exclude`), or are all bars (`warmup: zero`).
    """
    bars = tally.signals
    if config.warmup == "zero":
        bars = tally.rows - (tally.missing if config.missing == "skip" else 0)
    quotient, rest = divmod(tally.ones * UNIT, bars)
    round_up = 2 * rest > bars or (2 * rest == bars and quotient % 2 == 1)
    return (quotient + round_up) / UNIT


def to_json(metrics: dict[str, object]) -> str:
    """Write metrics as strict JSON, indented by 2, with one newline at the end."""
    return json.dumps(metrics, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
