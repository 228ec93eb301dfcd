"""What people look at: console, Grafana, reports."""
