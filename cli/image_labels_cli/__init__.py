"""The command `image-labels`: search, labels and status of a deployment."""
