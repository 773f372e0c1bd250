"""Members: how people join, whom they stand under, where they are placed."""
