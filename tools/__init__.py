"""Code of the make targets."""
