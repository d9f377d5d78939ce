"""This module finds what is wrong with outputs in a store, before anything is written."""

from rollsignal.config.request import Request
from rollsignal.errors import UsageError
from rollsignal.files.find import is_table
from rollsignal.files.remote import location_of, stands_for
from rollsignal.messages import is_url, shown_path, without_secrets
from rollsignal.outputs.interface import BARS_FOLDER

STORES = ("s3", "gs", "az", "abfss")


def problem_of_url(request: Request, flag: str, url: str) -> str:
    """Describe why nothing can be written at a URL, "" if nothing is wrong with it."""
    if flag == "--log-file":
        return "--log-file is a URL, but a log is written line by line to a local file"
    scheme = url.partition("://")[0]
    if scheme not in STORES:
        return f"{flag} is written by s3://, gs://, az:// or abfss://, not by {scheme}://"
    # The key comes after the bucket, which has no credentials.
    key = "" if without_secrets(url) != url else location_of(url).key
    if flag == "--signals" and request.partition_by:
        key = key.removesuffix("/")
    if not all(part.strip(".") for part in key.split("/")):
        return f"{flag} is not the plain URL of an object: {scheme}://BUCKET/FOLDER/NAME"
    if request.state and url.startswith(f"{request.state}{BARS_FOLDER}"):
        return f"{flag} is a file where --state keeps its bars"
    return ""


def read_as_bars(request: Request) -> UsageError | None:
    """Find an output in a store that a folder or pattern of the inputs would read as bars."""
    inputs = [path for path in request.inputs if is_url(path)]
    if request.signals and request.partition_by and is_url(request.signals):
        folder = request.signals.rstrip("/") + "/"
        if below := next((url for url in inputs if url != folder and url.startswith(folder)), ""):
            what = "--signals would replace a file that --input reads; nothing was written"
            return UsageError(what, f"path: {shown_path(below)}")
    for flag, path in request.outputs.items():
        is_folder = flag == "--signals" and request.partition_by
        is_like_bars = is_url(path) and is_table(path) and not is_folder
        if is_like_bars and any(stands_for(url, path) for url in inputs):
            what = f"{flag} is among the files that --input reads; nothing was written"
            hint = f"path: {shown_path(path)}; name another folder for it"
            return UsageError(what, hint)
    return None
