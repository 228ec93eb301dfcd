"""The web console: what operators, crews and managers look at, and the HTTP API of the same numbers."""
