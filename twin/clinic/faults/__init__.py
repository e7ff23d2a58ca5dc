"""The clinic's faults, a module for each part that they break."""
