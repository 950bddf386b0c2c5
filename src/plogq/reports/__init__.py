"""What is said of a result: in sentences, on the terminal, as a page; the only author of them."""
