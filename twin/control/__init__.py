"""The running twin, broken and mended at run time; started by `python -m twin up --drills` only."""
