"""What is used of other libraries beyond their public interfaces: one module a library, each with a test of its own."""
