"""The request: a query or a command line becomes a checked job; allowlists and signatures decide whether it is permitted."""
