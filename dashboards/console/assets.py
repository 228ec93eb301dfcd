"""Files for browsers, held in memory with their compressed form and a digest in their address.

What is asked for is looked up by name among what was found at the start, so no path of a request reaches the disk.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response

from dashboards.console.errors import NotFound

FOLDER = Path(__file__).with_name("static")
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"
DIGEST_CHARS = 10


@dataclass(frozen=True)
class Asset:
    """One file."""

    body: bytes
    packed: bytes
    digest: str
    kind: str


@dataclass(frozen=True)
class Assets:
    """Everything under a folder, by its path from there."""

    files: Mapping[str, Asset]

    def url(self, name: str) -> str:
        """Return the address of a file, which changes whenever the file does."""
        asset = self.files.get(name)
        return f"/static/{name}?{asset.digest}" if asset else f"/static/{name}"

    def answer(self, name: str, request: Request) -> Response:
        """Return a file. Raises NotFound."""
        asset = self.files.get(name)
        if asset is None:
            raise NotFound(name)
        headers = {"Vary": "Accept-Encoding"}
        if request.url.query == asset.digest:
            headers["Cache-Control"] = FOREVER
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(asset.body, media_type=asset.kind, headers=headers)
        return Response(asset.packed, media_type=asset.kind, headers=headers | {"Content-Encoding": "gzip"})


def load_assets(folder: Path = FOLDER) -> Assets:
    """Return the files under a folder whose kind browsers ask for."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES and path.is_file()]
    return Assets({path.relative_to(folder).as_posix(): _asset(path) for path in paths})


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:DIGEST_CHARS]
    return Asset(body, gzip.compress(body, 9, mtime=0), digest, TYPES[path.suffix])
