"""This module is the story of a schema: it finds the one that is asked for."""

from rollsignal.outputs.record.schema import DRAFT, schema_of
from rollsignal.outputs.record.validation import Schema


def published_schema(name: str) -> Schema:
    """Return the JSON Schema of configs, metrics, records or evaluations, by its name."""
    if name == "evaluation":
        from rollsignal.analysis.evaluation import evaluation_schema

        return {"$schema": DRAFT, **evaluation_schema()}
    return schema_of(name)
