"""The recalibrations that are tried, a file each."""
