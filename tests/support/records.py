"""This module writes records that somebody has edited, and sealed again."""

import json
from typing import Any

from rollsignal.outputs.record.seal import CHECKSUM, with_checksum


def forged(record: Any) -> str:
    """Return a record with the checksum that its bytes then have; anything else as it is."""
    if not isinstance(record, dict):
        return json.dumps(record)
    plain = {key: value for key, value in record.items() if key != CHECKSUM}
    return with_checksum(json.dumps(plain, indent=2) + "\n")
