"""What is seen of a training of JAX; loaded by `plogq.doctor.jax` alone."""
