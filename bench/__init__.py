"""Side-by-side measurements. Each is a make target, prints its ratios last, and writes bench/results/<name>.json."""
