"""This module names the formats of inputs."""

from typing import Literal, get_args

Format = Literal["csv", "ndjson", "parquet", "arrow"]
FORMATS: tuple[Format, ...] = get_args(Format)
