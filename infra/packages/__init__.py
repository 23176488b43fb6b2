"""What Lambda gets: the function's zip and the layer's, made the same way on every machine."""
