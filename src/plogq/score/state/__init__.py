"""What is kept of the rows that were seen: sums and samples that merge, in any order and split."""
