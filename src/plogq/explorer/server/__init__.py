"""The explorer's server: on this machine alone, one shell, one answer for each page."""
