"""Benchmarks: each runs alone as ``python -m benchmarks.NAME [--quick] [--json] [--out FILE]``."""
