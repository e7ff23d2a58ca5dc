"""The error of every file of facts that cannot be used."""


class SpecError(ValueError):
    """The file cannot be used; the message is one line that names file, key and what was expected."""
