"""The kernels in Triton's language, of which Python reads the syntax alone."""
