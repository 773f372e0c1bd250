"""The file that proves a licence: what it is follows from its first bytes, whatever its name says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from portal.kernel.errors import BadInput

LARGEST_BYTES: Final = 5 * 1024 * 1024
LONGEST_NAME: Final = 200
# First bytes, media type, ending.
_KINDS: Final = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
)


@dataclass(frozen=True)
class Document:
    """A file that may be kept."""

    file_name: str
    media_type: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def read_document(file_name: str, content: bytes) -> Document:
    """A PDF, JPEG or PNG of at most 5 MiB. Raises `BadInput` for anything else."""
    if not content:
        raise BadInput("Please choose the file that shows the licence.", field="document")
    if len(content) > LARGEST_BYTES:
        raise BadInput("The file may have at most 5 MB.", field="document")
    for beginning, media_type, _ending in _KINDS:
        if content.startswith(beginning):
            return Document(_plain(file_name), media_type, content)
    raise BadInput("Please choose a PDF, JPEG or PNG file.", field="document")


def ending_of(media_type: str) -> str:
    """How the name of a kept file ends."""
    return next(ending for _beginning, kept, ending in _KINDS if kept == media_type)


def _plain(name: str) -> str:
    """The last part of a name, without what cannot be printed; it is shown, and never opened by that name."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-LONGEST_NAME:] or "document"
