"""The engine's own git, the work folders of builders and exams, and what is likely to set up and test a project."""
