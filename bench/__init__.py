"""Benchmarks: each module prints its own table from a run of today's code."""
