"""This module checks the addresses of stores in the environment, before a library uses them."""

import os

WRONG_SETTINGS = "wrong settings for the store"
_ADDRESSES = {"s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")}


def check_addresses(scheme: str) -> None:
    """Check the addresses that stand for a scheme; raises `ValueError` without showing them.

    The library panics at a wrong one, which writes a backtrace and is no exception.
    """
    for name in _ADDRESSES.get(scheme, ()):
        address = os.environ.get(name)
        if address is not None and not _is_address(address):
            what = "is not as https://host:9000" if address else "is empty: unset it"
            raise ValueError(f"{WRONG_SETTINGS}: {name} {what}")


def _is_address(text: str) -> bool:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
