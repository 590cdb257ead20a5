"""What touches the world: a module for each kind of work."""
