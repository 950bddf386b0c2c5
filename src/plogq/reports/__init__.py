"""Reports of results: sentences, terminal, page. All sentences about results are written here."""
