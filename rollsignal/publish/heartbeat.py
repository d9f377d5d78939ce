"""This module tells a heartbeat monitor such as healthchecks that a run started, and how it ended.

A monitor expects the job at certain times, and raises an alarm when it hears of a failure, or
nothing. The URL is that of a check; the end of its path says what happened.
"""

from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from rollsignal.outputs.metrics import to_json
from rollsignal.outputs.record.document import Record
from rollsignal.publish.interface import Post


def heartbeat_messages(record: Record, address: str) -> list[Post]:
    """Return the one request that tells of a run: its start, or its exit code and its metrics."""
    what = "start"
    if record.status != "running":
        what = str(record.error.exit_code if record.error else 0)
    body = to_json(record.metrics) if record.metrics else ""
    parts = urlsplit(address)
    query = "&".join(filter(None, [parts.query, urlencode({"rid": str(run_id(record))})]))
    url = urlunsplit(
        parts._replace(path=f"{parts.path.rstrip('/')}/{what}", query=query, fragment="")
    )
    return [Post(url, body.encode(), "application/json; charset=utf-8")]


def run_id(record: Record) -> UUID:
    """Return an id of a run that follows from its record, at its start and at its end."""
    process = record.process
    return uuid5(NAMESPACE_URL, f"urn:rollsignal:run:{process.host}:{process.id}:{process.started}")
