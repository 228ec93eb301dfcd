"""Where alarm rows lead: Grafana has no acknowledgement for our alarms, the console has."""

CONSOLE_URL = "http://localhost:8080"
"""Where the console listens unless told otherwise."""
ALARM_URL = "${console}/alarms/${__data.fields.id}"
"""`console` is a constant of each dashboard, `id` a column of each row: the occurrence's number."""
