"""This module publishes the JSON Schemas (draft 2020-12) of configs, metrics and records."""

from rollsignal.config.sections import flat_schemas
from rollsignal.config.settings import JobConfig, config_schema
from rollsignal.outputs.record.declared import object_schema
from rollsignal.outputs.record.document import record_schema
from rollsignal.outputs.record.validation import Schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
CONFIG = "urn:rollsignal:schema:config:1"
METRICS = "urn:rollsignal:schema:metrics:1"

_TEXT: Schema = {"type": "string", "minLength": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}


def schema_of(name: str) -> Schema:
    """Build the schema of `config`, `metrics` or `record`."""
    builders = {"config": _config, "metrics": _metrics, "record": record_schema}
    return {"$schema": DRAFT, **builders[name]()}


def _config() -> Schema:
    return {"$id": CONFIG, "title": "The config of a rollsignal run", **config_schema()}


def _metrics() -> Schema:
    settings = flat_schemas(JobConfig)
    success = object_schema(
        version=settings["version"],
        rows_processed=_COUNT,
        metric={"const": "signal_rate"},
        value={"type": "number", "minimum": 0, "maximum": 1},
        latency_ms=_COUNT,
        seed=settings["seed"],
        status={"const": "success"},
    )
    error = object_schema(version=_TEXT, status={"const": "error"}, error_message=_TEXT)
    return {
        "$id": METRICS,
        "title": "The metrics of a rollsignal run",
        "type": "object",
        "oneOf": [success, error],
    }
