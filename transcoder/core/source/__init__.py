"""What an address turned out to be: a Reddit post, a playlist or a file, and what of it is selected."""
