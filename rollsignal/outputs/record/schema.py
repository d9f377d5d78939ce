"""This module publishes the JSON Schemas (draft 2020-12) of configs, metrics and records."""

from rollsignal.config.sections import flat_schemas
from rollsignal.config.settings import JobConfig, config_schema
from rollsignal.core.kernel import Tally
from rollsignal.engines import ENGINES
from rollsignal.outputs.record.validation import Schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
CONFIG = "urn:rollsignal:schema:config:1"
METRICS = "urn:rollsignal:schema:metrics:1"
RECORD = "urn:rollsignal:schema:record:1"

_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "minLength": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TIME: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}


def schema_of(name: str) -> Schema:
    """Build the schema of `config`, `metrics` or `record`."""
    builders = {"config": _config, "metrics": _metrics, "record": _record}
    return {"$schema": DRAFT, **builders[name]()}


def _config() -> Schema:
    return {"$id": CONFIG, "title": "The config of a rollsignal run", **config_schema()}


def _metrics() -> Schema:
    settings = flat_schemas(JobConfig)
    success = _object(
        version=settings["version"],
        rows_processed=_COUNT,
        metric={"const": "signal_rate"},
        value={"type": "number", "minimum": 0, "maximum": 1},
        latency_ms=_COUNT,
        seed=settings["seed"],
        status={"const": "success"},
    )
    error = _object(version=_NAME, status={"const": "error"}, error_message=_NAME)
    return {
        "$id": METRICS,
        "title": "The metrics of a rollsignal run",
        "type": "object",
        "oneOf": [success, error],
    }


def _record() -> Schema:
    ended = {"properties": {"status": {"const": "success"}}}
    found = {
        "properties": {
            "error": {"type": "null"},
            "config": {"type": "object"},
            "tally": {"type": "object"},
            "series": _COUNT,
            "digest": _TEXT,
            "inputs": {"minItems": 1},
        }
    }
    failed = {"properties": {"status": {"const": "error"}}}
    return {
        "$id": RECORD,
        "title": "The record of a rollsignal run",
        **_object(schema={"const": RECORD}, **_parts()),
        "allOf": [
            {"if": ended, "then": found},
            {"if": failed, "then": {"properties": {"error": {"type": "object"}}}},
        ],
    }


def _parts() -> Schema:
    return {
        "status": {"enum": ["running", "success", "error"]},
        "program": _object(
            rollsignal=_NAME, python=_NAME, libraries=_map(_TEXT), engine={"enum": list(ENGINES)}
        ),
        "process": _object(id=_COUNT, host=_TEXT, started=_TIME, ended=_or_null(_TIME)),
        "asked": _object(
            inputs=_list(_TEXT),
            format=_or_null(_TEXT),
            config=_TEXT,
            outputs=_map(_TEXT),
            partition_by=_or_null({"enum": ["symbol", "date"]}),
            since=_or_null(_TEXT),
            until=_or_null(_TEXT),
        ),
        "error": _or_null(_object(exit_code={"type": "integer", "minimum": 1}, message=_TEXT)),
        "config": _or_null(_object(**_settings())),
        "inputs": _list(_input()),
        "tally": _or_null(_object(**dict.fromkeys(Tally._fields, _COUNT))),
        "series": _or_null(_COUNT),
        "digest": _or_null({"type": "string", "pattern": "^[0-9a-f]{32}$"}),
        "checks": _map(_object(level=_TEXT, found=_COUNT, first=_list(_doubt()))),
        "warnings": _list(_TEXT),
        "stages_ms": _map(_COUNT),
        "outputs": _list(_file()),
    }


def _settings() -> Schema:
    """Describe every setting by its dotted name, with its value and its line."""
    line = _or_null({"type": "integer", "minimum": 1})
    return {
        name: _object(value=value, line=line) for name, value in flat_schemas(JobConfig).items()
    }


def _file() -> Schema:
    whole = {"type": ["integer", "null"]}
    return _object(
        path=_TEXT,
        size=_or_null(_COUNT),
        mtime_ns=whole,
        ctime_ns=whole,
        inode=whole,
        sha256=_or_null(_SHA256),
    )


def _input() -> Schema:
    return _object(
        file=_file(),
        sha256_after=_or_null(_SHA256),
        compared_by={"enum": ["stat", "sha256", "state", None]},
        rows=_or_null(_COUNT),
        form=_or_null(_TEXT),
    )


def _doubt() -> Schema:
    return _object(
        check=_TEXT,
        file=_TEXT,
        row=_or_null(_COUNT),
        symbol=_TEXT,
        timestamp=_or_null(_TEXT),
        message=_TEXT,
    )


def _object(**properties: Schema) -> Schema:
    """Describe an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
