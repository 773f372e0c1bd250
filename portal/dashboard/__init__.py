"""The first page after signing in, made of panels that the rooms bring."""
