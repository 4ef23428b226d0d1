"""The command `image-labels`: what the module knows of the photos, and how the work is going."""
