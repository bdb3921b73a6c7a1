"""State as JSON shapes, markdown, pages, reports and prompts: pure functions, the same state the same bytes."""
