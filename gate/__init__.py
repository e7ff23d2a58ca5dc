"""The engine of the release gate. It knows no service: what it must know of a system comes from its specification."""
