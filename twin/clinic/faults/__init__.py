"""The clinic's faults, one module for each part that they break."""
