"""The lines of another system beside ours: every difference, and why."""
