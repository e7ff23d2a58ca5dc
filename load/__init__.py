"""Load on the services, on Locust."""
