"""The packages for Lambda: the zips of function and layer, which are identical on every machine that builds them."""
