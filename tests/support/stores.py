"""This module serves a folder on loopback, as an object store and as a web server."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote
from xml.etree import ElementTree

from localbucket import S3Error, S3Handler, etag_matches, object_etag

KEY_ID, KEY = "AKIDEXAMPLE", "a/secret+key"
# The variables that libraries read: none may come from the machine that runs the tests.
FOREIGN = ("AWS_", "AZURE_", "AZURITE_", "GOOGLE_", "POLARS_")


quote_all = partial(quote, safe="")


class Served:
    """A folder that is served: each folder in it is a bucket.

    `asked` lists the requests: method, path and range. `before` is called with the handler of
    each; if it raises, the server hangs up. `after` is called when an object was written, before
    the server says so. If `cut_after` is set, the server hangs up after that many bytes of an
    answer. With `folder_markers`, lists have an empty object for every folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[tuple[str, str, str]] = []
        self.before: Callable[[Any], None] = lambda handler: None
        self.after: Callable[[Any], None] = lambda handler: None
        self.writing = threading.Lock()
        self.cut_after: int | None = None
        self.folder_markers = False
        self.url = ""

    def quiet(self) -> None:
        """Forget what was asked, and what is to happen before and after a request."""
        self.asked.clear()
        self.before = self.after = lambda handler: None

    def keys(self, bucket: str) -> list[str]:
        """List the keys of a bucket."""
        folder = self.root / bucket
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    def put(self, path: str, data: bytes) -> None:
        """Store an object."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


class _Store(S3Handler):  # type: ignore[misc]  # an untyped base
    """A store that checks what clients of S3 sign."""

    served: Served

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:  # noqa: N802  # the name is http.server's
        if self._is_welcome():
            super().do_GET()

    def do_HEAD(self) -> None:  # noqa: N802  # the name is http.server's
        if self._is_welcome():
            super().do_HEAD()

    def do_PUT(self) -> None:  # noqa: N802  # the name is http.server's
        if self._is_welcome():
            super().do_PUT()

    def do_POST(self) -> None:  # noqa: N802  # the name is http.server's
        if self._is_welcome():
            super().do_POST()

    def do_DELETE(self) -> None:  # noqa: N802  # the name is http.server's
        if self._is_welcome():
            super().do_DELETE()

    def _read_body(self) -> bytes:
        """Return the body of a request, whose SHA-256 is among what is signed."""
        body: bytes = super()._read_body()
        if len(body) != int(self.headers.get("Content-Length", len(body))):
            raise S3Error(HTTPStatus.BAD_REQUEST, "IncompleteBody", "The body is cut off.")
        signed = self.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
        if signed not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            said = "The provided hash does not match what was computed."
            raise S3Error(HTTPStatus.BAD_REQUEST, "XAmzContentSHA256Mismatch", said)
        return body

    def _post_request(self, bucket: str, key: str) -> None:
        """Delete several objects, or start or complete a multipart upload."""
        if "delete" not in self.query:
            super()._post_request(bucket, key)
            return
        folder = self._bucket_dir(bucket)
        body = ElementTree.fromstring(self._read_body())
        done = ElementTree.Element("DeleteResult")
        for named in body.findall("{*}Object/{*}Key"):
            path = folder / str(named.text)
            path.unlink(missing_ok=True)
            for parent in list(path.parents)[: len(path.relative_to(folder).parts) - 1]:
                if not parent.exists() or list(parent.iterdir()):
                    break
                parent.rmdir()
            deleted = ElementTree.SubElement(done, "Deleted")
            ElementTree.SubElement(deleted, "Key").text = named.text
        self._send_xml(done)

    def _put(self, bucket: str, key: str) -> None:
        """Write an object or a part; Google's clients name the source of a copy in their way."""
        if source := self.headers.get("x-goog-copy-source"):
            self.headers["x-amz-copy-source"] = source
        super()._put(bucket, key)

    def _write_object(self, bucket: str, key: str, write: Any) -> str:
        """Write an object, if it is still the one that the client knows."""
        target = self._object_path(bucket, key)
        with self.served.writing:
            if (known := self.headers.get("If-Match")) is not None:
                if not target.exists():
                    raise S3Error(HTTPStatus.NOT_FOUND, "NoSuchKey", "There is no such key.")
                if not etag_matches(known, object_etag(target)):
                    raise self._precondition_failed_error()
            etag: str = super()._write_object(bucket, key, write)
        self.served.after(self)
        return etag

    def _is_welcome(self) -> bool:
        self.served.asked.append((self.command, self.path, self.headers.get("Range", "")))
        self.served.before(self)
        signed = self.headers.get("Authorization", "")
        if signed.startswith("AWS4") and not signed.endswith(self._signature(signed)):
            # As much as S3 says.
            said = f"{signed} {self.headers.get('x-amz-security-token')}"
            self._send_error(S3Error(HTTPStatus.FORBIDDEN, "SignatureDoesNotMatch", said))
            return False
        return True

    def _signature(self, signed: str) -> str:
        """Sign the request with the right key, by AWS's Signature Version 4."""
        parts = (part.strip().partition("=") for part in signed.partition(" ")[2].split(","))
        fields = {name: value for name, _, value in parts}
        _, date, region, service, kind = fields["Credential"].split("/")
        path, _, query = self.path.partition("?")
        names = fields["SignedHeaders"]
        headers = "".join(f"{name}:{self.headers[name].strip()}\n" for name in names.split(";"))
        pairs = (map(quote_all, pair) for pair in parse_qsl(query, keep_blank_values=True))
        query = "&".join(sorted("=".join(pair) for pair in pairs))
        payload = self.headers["x-amz-content-sha256"]
        request = "\n".join([self.command, path, query, headers, names, payload])
        digest = hashlib.sha256(request.encode()).hexdigest()
        scope = "/".join((date, region, service, kind))
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope, digest])
        key = f"AWS4{KEY}".encode()
        for part in (date, region, service, kind):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.new(key, text.encode(), "sha256").hexdigest()

    def _list_entries(self, bucket: Path, prefix: str, *args: Any) -> Any:
        contents, *others = super()._list_entries(bucket, prefix, *args)
        if self.served.folder_markers:
            empty = self.served.root / "empty"
            empty.touch()
            folders = [path for path in bucket.rglob("*") if path.is_dir()]
            keys = [f"{path.relative_to(bucket)}/" for path in folders]
            contents += [(key, empty) for key in keys if key.startswith(prefix)]
        return (contents, *others)

    def _send_file(self, status: Any, file: Any, start: int, length: int, *args: Any) -> None:
        cut = self.served.cut_after
        if cut is None or length <= cut:
            super()._send_file(status, file, start, length, *args)
            return
        self._send_headers(status, length, args[0])
        file.seek(start)
        self.wfile.write(file.read(cut))
        self.close_connection = True


class _Plain(SimpleHTTPRequestHandler):
    """A web server that gives files as a whole only."""

    protocol_version = "HTTP/1.1"
    cut_after: int | None = None
    etag = ""

    def log_message(self, format: str, *args: object) -> None:
        pass

    def end_headers(self) -> None:
        if self.etag:
            self.send_header("ETag", self.etag)
        super().end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        outputfile.write(source.read(self.cut_after))
        self.close_connection = True


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that hang up."""


@contextmanager
def serving(root: Path) -> Iterator[Served]:
    """Serve a folder as a store, and by plain HTTP with parts of files."""
    served = Served(root)
    handler = type("Handler", (_Store,), {"data_root": root, "served": served})
    with _running(handler) as served.url:
        yield served


@contextmanager
def plainly_serving(root: Path, cut_after: int | None = None, etag: str = "") -> Iterator[str]:
    """Serve a folder by plain HTTP without parts of files; yield its URL.

    cut_after: how many bytes of a file are sent before the server hangs up, if not all. etag: that
    of every file, whatever is in it; "" for none.
    """
    handler = type("Handler", (_Plain,), {"cut_after": cut_after, "etag": etag})
    with _running(partial(handler, directory=str(root))) as url:
        yield url


@contextmanager
def _running(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    # The socket listens before the thread starts: there is no readiness to wait for.
    with _Quiet(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def silence() -> Iterator[tuple[str, socket.socket]]:
    """Yield the URL of a server that accepts connections and never answers, and its socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield f"http://127.0.0.1:{server.getsockname()[1]}", server


def refusing() -> str:
    """Return a URL of this machine where no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def environment(store_url: str, home: Path) -> dict[str, str]:
    """Return an environment with only stores on loopback, one of each kind, and their keys."""
    account = {"gcs_base_url": store_url, "disable_oauth": True}
    account |= dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
    path = home / "account.json"
    path.write_text(json.dumps(account))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) and not name.lower().endswith("_proxy")
    }
    return kept | {
        "HOME": str(home),
        "AWS_ENDPOINT_URL": store_url,
        "AWS_METADATA_ENDPOINT": store_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "GOOGLE_SERVICE_ACCOUNT": str(path),
        "AZURE_STORAGE_USE_EMULATOR": "true",
        "AZURITE_BLOB_STORAGE_URL": store_url,
    }
