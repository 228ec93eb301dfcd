"""A Grafana server as publish and self-test see it: grafana-api's session, every answer a reaction.

| answer | what follows |
| --- | --- |
| 200 | go on |
| 404 | None: it is not there yet |
| 401, 403 | BadInput: the token, or what it may do |
| 412 | Conflict: somebody saved it meanwhile |
| any other, or none | GrafanaFailed with the server's own words |
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from grafana_api.grafana_api import GrafanaAPI, GrafanaException

from edge.config import read_secret
from edge.errors import BadInput, SteppeError

TIMEOUT_S = 15.0
Json = dict[str, Any]


class GrafanaFailed(SteppeError):
    """The server did not do what it was asked; a later try may go well."""


class Conflict(SteppeError):
    """A dashboard has changed since it was read; nothing was written over it."""


class GrafanaServer:
    """One server, one token."""

    def __init__(self, url: str, token: str) -> None:
        """Prepare the session; the first call opens it. Raises BadInput where the address is none."""
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise BadInput(f"--url {url!r}: write it as http://host:3000 or https://host/path")
        prefix = address.path.strip("/")
        self.url = url.rstrip("/")
        self._api = GrafanaAPI(
            token,
            host=f"[{address.hostname}]" if ":" in address.hostname else address.hostname,
            port=address.port,
            url_path_prefix=f"{prefix}/" if prefix else "",
            protocol=address.scheme,
            timeout=TIMEOUT_S,
        )

    def get(self, path: str) -> Json | None:
        """Return what stands at a path below `/api`; None where there is nothing."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Json) -> Json:
        """Send `body`; return the answer. Raises Conflict where a newer version is there."""
        answer = self._ask("POST", path, body)
        if answer is None:
            raise GrafanaFailed(f"{self.url}/api{path}: not found. Is this a Grafana of version 10 or later?")
        return answer

    def _ask(self, method: str, path: str, body: Json | None) -> Json | None:
        try:
            answer = getattr(self._api, method)(path, json=body)
        except GrafanaException as error:
            if error.status_code == 404:
                return None
            raise self._reaction(path, error) from error
        except OSError as error:  # everything that requests raises is one
            raise GrafanaFailed(f"{self.url}: no answer ({_root(error)}). Is Grafana running and reachable?") from error
        except TypeError as error:  # grafana-api stumbles over error pages that are no JSON
            raise GrafanaFailed(f"{self.url}/api{path}: an answer that is no JSON. Is this Grafana?") from error
        if not isinstance(answer, dict):
            raise GrafanaFailed(f"{self.url}/api{path}: an answer of another form. Is this Grafana?")
        return answer

    def _reaction(self, path: str, error: Any) -> SteppeError:
        said = error.response.get("message", "") if isinstance(error.response, dict) else str(error.response)[:200]
        where = f"{self.url}/api{path}: answer {error.status_code} {said}".rstrip()
        if error.status_code == 401:
            return BadInput(f"{where}. Check --token-file: a token of a service account, not expired")
        if error.status_code == 403:
            return BadInput(f"{where}. Give the service account the role Editor (publish) or Viewer (selftest)")
        if error.status_code == 412:
            return Conflict(f"{where}. Nothing was written over it; run the command again")
        return GrafanaFailed(where)


def open_server(url: str, token_file: Path) -> GrafanaServer:
    """Return the server with the token that a file of mode 600 holds. Raises BadInput."""
    return GrafanaServer(url, read_secret(token_file))


def _root(error: BaseException) -> str:
    """The innermost reason in one line."""
    while error.args and isinstance(error.args[0], BaseException):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    return " ".join(str(reason if reason is not None else error).split())[:200]
