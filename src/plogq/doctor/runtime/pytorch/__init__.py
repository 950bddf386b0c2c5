"""What is seen of a training of PyTorch; loaded by `plogq.doctor.watch` alone."""
