"""Typed tools: the face that programs speak to, by the Model Context Protocol."""
