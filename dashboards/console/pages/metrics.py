"""What Prometheus asks for: open to this machine, to others with a token that may read."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from dashboards.console.guard import bearer_of, scoped
from dashboards.console.settings import is_loopback

open_router = APIRouter()


@open_router.get("/metrics")
def metrics(request: Request) -> Response:
    """Return the console's metrics."""
    if bearer_of(request) or not (request.client and is_loopback(request.client.host)):
        scoped("read")(request)
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
