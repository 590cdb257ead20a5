"""What became of campaigns, counted: for the manager's page and its file."""
