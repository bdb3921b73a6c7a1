"""Workers, each in its module, and the one place that starts processes."""
