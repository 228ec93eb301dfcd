"""What the pages show, as frozen types: no HTTP, no HTML."""
