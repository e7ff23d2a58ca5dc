"""The engine of the release gate."""
