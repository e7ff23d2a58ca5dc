"""What is used of other libraries beyond their public interfaces: one module, with a test of its own."""
