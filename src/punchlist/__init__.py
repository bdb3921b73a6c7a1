"""A deterministic orchestrator for coding agents: a spec becomes accepted commits, and a program keeps the record."""

__version__ = "0.1.0"
