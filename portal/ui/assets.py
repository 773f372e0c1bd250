"""Static files: joined, compressed, served from memory under addresses with the hash of their content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STYLES = "css/main.css"
LAYERS = (
    "main.css",
    "tokens.css",
    "reset.css",
    "base.css",
    "layout.css",
    "components/*.css",
    "utilities.css",
)
TEXT = {".css", ".js", ".svg", ".txt"}
FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
# Browsers ask for this one by themselves, on answers that are no pages.
ASKED_UNBIDDEN = {"/favicon.ico": "/static/favicon.svg"}

mimetypes.add_type("font/woff2", ".woff2")


@dataclass(frozen=True)
class Asset:
    """One file as it goes over the wire: `body` plain, `packed` with gzip (empty where that does not pay)."""

    body: bytes
    packed: bytes
    kind: str
    version: str

    def answer(self, request: Request) -> Response:
        """The file, or 304; kept for ever only under the address that names this very content."""
        packed = self.packed and "gzip" in request.accept_encodings
        response = Response(self.packed if packed else self.body, content_type=self.kind)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = FOREVER if request.args.get("v") == self.version else ASK_AGAIN
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.vary.add("Accept-Encoding")
        response.set_etag(f"{self.version}{'-gzip' if packed else ''}")
        return response.make_conditional(request)


class Assets:
    """All files of the static folder, by name (`css/main.css`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = self._read()

    def reload(self) -> None:
        """Read the folder again; for development."""
        self.files = self._read()

    def url(self, name: str) -> str:
        """The address of a file with the hash of its content; a name that is not there is a bug."""
        return f"/static/{name}?v={self.files[name].version}"

    def _read(self) -> dict[str, Asset]:
        names = [path.relative_to(self.folder).as_posix() for path in _files(self.folder)]
        files = {
            name: _asset(name, (self.folder / name).read_bytes())
            for name in names
            if not name.startswith("css/")
        }
        files[STYLES] = _asset(STYLES, _join_styles(self.folder / "css", files))
        return files


class StaticFiles:
    """Answers for `/static/` before the application is asked, so that no session is opened for an icon."""

    def __init__(self, application: WSGIApplication, assets: Assets, *, fresh: Callable[[], bool]) -> None:
        self.application = application
        self.assets = assets
        self.fresh = fresh

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        path = ASKED_UNBIDDEN.get(path, path)
        if path.startswith("/static/") and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            if self.fresh():
                self.assets.reload()
            if asset := self.assets.files.get(path.removeprefix("/static/")):
                return asset.answer(Request(environ))(environ, start_response)
        return self.application(environ, start_response)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _asset(name: str, body: bytes) -> Asset:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    text = Path(name).suffix in TEXT
    return Asset(
        body=body,
        packed=gzip.compress(body, 9, mtime=0) if text else b"",
        kind=f"{kind}; charset=utf-8" if text else kind,
        version=hashlib.blake2b(body, digest_size=6).hexdigest(),
    )


def _join_styles(folder: Path, files: dict[str, Asset]) -> bytes:
    sources = [path.read_text() for pattern in LAYERS for path in sorted(folder.glob(pattern))]
    text = re.sub(r"/\*.*?\*/", "", "".join(sources), flags=re.DOTALL)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s*([{};,>])\s*", r"\1", text).replace(": ", ":").replace(";}", "}")

    def with_version(found: re.Match[str]) -> str:
        name = found[1]
        return f'url("../{name}?v={files[name].version}")'

    return re.sub(r'url\("\.\./([^"]+)"\)', with_version, text).encode()


def asset_url(assets: Assets, *, fresh: Callable[[], bool]) -> Callable[[str], str]:
    """The function templates call as `asset("icons.svg")`."""

    def asset(name: str) -> str:
        if fresh():
            assets.reload()
        return assets.url(name)

    return asset


def install(app: Any, folder: Path) -> Assets:
    """Put the static files in front of the application and give templates `asset()`."""
    assets = Assets(folder)
    app.wsgi_app = StaticFiles(app.wsgi_app, assets, fresh=lambda: bool(app.debug))
    app.jinja_env.globals["asset"] = asset_url(assets, fresh=lambda: bool(app.debug))
    app.extensions["assets"] = assets
    return assets
