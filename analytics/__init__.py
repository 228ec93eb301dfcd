"""The numbers: a pure core of arrays in and numbers out, and the services that feed it."""
