"""What is kept of the rows seen: sums and samples, which merge in any order and split."""
