"""Pictures of the console for the documentation: the example clinic on one invented day."""
