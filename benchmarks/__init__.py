"""Benchmarks: cold commands at size, measured as people run them."""
