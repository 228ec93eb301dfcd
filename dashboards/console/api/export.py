"""Readings as files."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from dashboards.console.guard import ThisConsole
from dashboards.console.views.export import Format, wanted_of
from dashboards.console.views.export_files import MEDIA_TYPES, file_of

router = APIRouter(tags=["export"])


@router.get("/export/readings.{form}", response_class=StreamingResponse)
def readings(
    console: ThisConsole,
    form: Format,
    from_ms: int,
    to_ms: int,
    point: Annotated[list[str] | None, Query(description="Full names, at most 200")] = None,
) -> StreamingResponse:
    """Every reading of some points with from <= t < to, as CSV or Parquet, streamed."""
    wanted = wanted_of(point or [], from_ms, to_ms)
    return StreamingResponse(file_of(console, wanted, form, job=""), media_type=MEDIA_TYPES[form])
