"""Benchmarks. Each is a make target, prints its figures in the last line, and writes bench/results/<name>.json."""
