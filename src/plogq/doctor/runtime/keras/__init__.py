"""What is seen of a training of Keras; loaded by `plogq.doctor.keras` alone."""
