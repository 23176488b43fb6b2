"""The world, one peer a file. Its exceptions stop here."""
