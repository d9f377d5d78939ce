"""This module seals records: the last key of one is the SHA-256 of all bytes above its line."""

import hashlib

CHECKSUM = "checksum"
_END = "\n}\n"


def with_checksum(text: str) -> str:
    """Return a JSON object, indented by 2 and with one newline at its end, with its checksum."""
    above = text.removesuffix(_END) + ",\n"
    return above + _last_line(above.encode())


def has_right_checksum(data: bytes) -> bool:
    r"""Return whether a file is as it was sealed, to the byte.

    >>> has_right_checksum(with_checksum('{\n  "rows": 9\n}\n').encode())
    True
    """
    above = data[: -len(_last_line(b""))]
    return data == above + _last_line(above).encode()


def _last_line(above: bytes) -> str:
    return f'  "{CHECKSUM}": "{hashlib.sha256(above).hexdigest()}"{_END}'
