"""Releases that come after the one in `twin/source`, each as what it changes: files, replacements and migrations."""
