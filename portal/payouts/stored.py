"""Files of batches at rest: sealed, because they hold bank numbers; what is downloaded never changes."""

from __future__ import annotations

import base64
import hashlib

from portal.extensions import seal
from portal.models import PayoutFile
from portal.store.unit_of_work import UnitOfWork

# How a sealed text begins. Files of earlier days hold no bank numbers and were kept as they are.
_SEALED = b"gAAAA"


def keep_file(uow: UnitOfWork, *, batch_id: int, format: str, content: bytes) -> PayoutFile:
    """Store a file of a batch for good; its fingerprint is that of the bytes that are downloaded."""
    kept = PayoutFile(
        batch_id=batch_id,
        format=format,
        content=seal.close(base64.b64encode(content).decode()).encode(),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    uow.session.add(kept)
    return kept


def content_of(file: PayoutFile) -> bytes:
    """The bytes of a file as they were written."""
    if not file.content.startswith(_SEALED):
        return file.content
    return base64.b64decode(seal.open(file.content.decode()))
