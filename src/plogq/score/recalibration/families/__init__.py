"""The ways to recalibrate that are tried, a file each."""
