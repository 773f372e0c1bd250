"""What `make` calls. Standard library only."""
