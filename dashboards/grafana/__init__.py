"""Grafana: dashboards as code, what feeds them, publish and self-test."""
