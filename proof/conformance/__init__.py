"""The vendors' own clients against the doubles, and against the vendors themselves where a key is given."""
