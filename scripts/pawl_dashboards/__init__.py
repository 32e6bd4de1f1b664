"""The dashboards in metrics/grafana: what they show, and the JSON that Grafana loads."""
