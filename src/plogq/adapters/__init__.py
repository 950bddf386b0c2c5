"""What brings a score into other libraries: thin, a file or folder for each, no arithmetic."""
