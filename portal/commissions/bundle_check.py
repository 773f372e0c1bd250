"""Verify the bundle of a run: no database, no settings, nothing taken on trust."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Final

from portal.commissions import bundle
from portal.commissions.bundle import Manifest
from portal.commissions.kept import code_version
from portal.engine import Refused, Result, calculate, case, snapshot

_PIECE: Final = 1 << 20


class Broken(Exception):
    """The file cannot be what the portal wrote; the message says where."""


@dataclass(frozen=True)
class Verified:
    """What a bundle proved: its run, its hashes, and whether the same engine computed it."""

    manifest: Manifest
    members: int
    events: int
    lines: int
    same_code: bool

    @property
    def words(self) -> list[str]:
        """What was proved, line by line."""
        about = self.manifest
        engine = "the same engine" if self.same_code else "another version of the engine"
        counts = f"{self.members:,} members, {self.events:,} events, {self.lines:,} lines"
        return [
            f"Cycle {about.cycle}, run {about.run}: {counts}.",
            f"Computed again by {engine}: everything is the same.",
            f"inputs {about.input_hash}",
            f"plan   {about.plan_hash}",
            f"result {about.output_hash}",
        ]


def verify(file: IO[bytes]) -> Verified:
    """Compute a bundle again and compare everything in it. Raises `Broken` for whatever does not agree."""
    _seal(file)
    try:
        with zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive)
            _files(archive, manifest)
            return _computed(archive, manifest)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Broken(f"This is no whole zip file: {error}") from error
    except Refused as refused:
        raise Broken(f"{bundle.CASE}: {refused.faults[0]}") from refused


def _seal(file: IO[bytes]) -> None:
    length = file.seek(0, io.SEEK_END) - bundle.SEAL_LENGTH
    if length <= 0:
        raise Broken("This is too short to be a bundle.")
    expected = bundle.seal_of(file, length)
    file.seek(length)
    if file.read() != expected:
        raise Broken("The seal at the end of the file does not fit: some byte was changed.")
    file.seek(0)


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    if sorted(archive.namelist()) != sorted(bundle.FILES):
        raise Broken("The bundle does not hold exactly the files it should.")
    try:
        manifest = Manifest(**json.loads(archive.read(bundle.MANIFEST)))
    except (ValueError, TypeError):
        raise Broken(f"{bundle.MANIFEST}: this cannot be read") from None
    if manifest.format != bundle.FORMAT:
        raise Broken(f"{bundle.MANIFEST}: another format, {manifest.format}")
    return manifest


def _files(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Every file has the hash that the manifest names."""
    if set(manifest.files) != {*bundle.FILES} - {bundle.MANIFEST}:
        raise Broken(f"{bundle.MANIFEST}: it does not name all files")
    for name, sha256 in manifest.files.items():
        whole = hashlib.sha256()
        with archive.open(name) as file:
            while piece := file.read(_PIECE):
                whole.update(piece)
        if whole.hexdigest() != sha256:
            raise Broken(f"{name}: not the content that the manifest names")


def _computed(archive: zipfile.ZipFile, manifest: Manifest) -> Verified:
    """The frozen inputs give the hashes; the files for people say the same as they do."""
    inputs = snapshot.thaw(archive.read(bundle.INPUTS))
    result = calculate(inputs)
    _same("the hash of the inputs", manifest.input_hash, snapshot.digest(inputs))
    _same("the hash of the result", manifest.output_hash, snapshot.result_digest(result))
    _same("the hash of the plan", manifest.plan_hash, inputs.plan.version)
    if archive.read(bundle.PLAN) != bundle.plan_text(inputs.plan.document):
        raise Broken(f"{bundle.PLAN}: not the plan of the inputs")
    names = _read_by_itself(archive, result)
    _says(archive, bundle.CASE, case.case_text(inputs, names))
    return Verified(
        manifest=manifest,
        members=len(inputs.network),
        events=len(inputs.events),
        lines=len(result.lines),
        same_code=manifest.code_version == code_version(),
    )


def _read_by_itself(archive: zipfile.ZipFile, result: Result) -> case.Names:
    """The case file computes to the expected result, as anybody would compute it; what it calls everybody."""
    inputs, names = case.read(archive.read(bundle.CASE))
    if len(names.members) != len(result.inputs.network) or len(names.events) != len(result.inputs.events):
        raise Broken(f"{bundle.CASE}: other people or sales than the inputs hold")
    _says(archive, bundle.EXPECTED, bundle.expected_text(case.text(calculate(inputs), names)))
    return names


def _says(archive: zipfile.ZipFile, name: str, pieces: Iterable[str]) -> None:
    """A file of the bundle is this text to the last byte."""
    with archive.open(name) as file:
        for piece in pieces:
            wanted = piece.encode()
            if file.read(len(wanted)) != wanted:
                raise Broken(f"{name}: it says something else than the inputs give")
        if file.read(1):
            raise Broken(f"{name}: it says more than the inputs give")


def _same(what: str, stated: str, computed: str) -> None:
    if stated != computed:
        raise Broken(f"{what} is {computed}, not {stated}")
