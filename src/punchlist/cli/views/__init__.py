"""Answers as people read them: each function makes text of one JSON shape."""
