"""A small, faithful staging system that starts in seconds; it knows nothing of the harness."""
