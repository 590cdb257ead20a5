"""The command line: a module for each reader, a command for each thing they do."""
