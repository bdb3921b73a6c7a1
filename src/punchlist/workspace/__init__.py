"""The engine's own git, the work folders of builders and exams, and what is likely to set up and test a project."""

from punchlist.workspace.adapter import GitWorkspace
from punchlist.workspace.detect import Detected, detect

__all__ = ["Detected", "GitWorkspace", "detect"]
