"""A result on the terminal and in files; what all reports share."""
