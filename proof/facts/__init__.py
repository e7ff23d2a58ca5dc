"""Every fact of the Navigator's specification, changed: what a deployment can get wrong, one thing at a time."""
