"""Reports on the terminal, a file for each command."""
