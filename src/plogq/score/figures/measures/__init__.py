"""What other reports show beside the cross-entropy: calibration errors, AUC, selective accuracy."""
