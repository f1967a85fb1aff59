"""What can be run: each task is a function of a hub, safe to repeat."""
