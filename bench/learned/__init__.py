"""The training of labels that the models have no class for: pictures of Debian packages, and a linear model each."""
