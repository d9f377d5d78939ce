"""This module removes temporary folders, whatever a library or a killed run has left in them.

Whoever makes such a folder loads it before: what is needed to remove one may later be lacking.
"""

import os
import shutil
from contextlib import suppress

from rollsignal.files.open import lexists

MAX_TRIES = 100


def remove_folder_quietly(unfinished: str) -> None:
    """Remove a temporary folder and all that is in it; of a link, the link alone.

    After a library has failed, its threads may still create files there: then try again.
    """
    for _ in range(MAX_TRIES):
        # Even so `rmtree` raises an error where it cannot look at what it has just opened.
        with suppress(OSError):
            if os.path.islink(unfinished):
                os.unlink(unfinished)
            shutil.rmtree(unfinished, ignore_errors=True)
            if not lexists(unfinished):
                break
