"""Frozen values that every layer shares; no I/O, no behaviour beyond their own rules."""
