"""What the load relies on beyond other projects' documented interfaces, a module for each of them."""
