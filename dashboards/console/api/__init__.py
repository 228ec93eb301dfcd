"""One module per subject of the HTTP API under `/api/v1`: `router`, answering with the very objects of `views`."""
