"""An engine as a process of this machine: its loop, and what it does beside it for other programs."""
