"""Faults of a ninth stranger: rest, and what is promised of data, callbacks and configuration."""
