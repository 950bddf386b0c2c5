"""What logs of language models come as, a file for each kind."""
