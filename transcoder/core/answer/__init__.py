"""The response: the formats of Lambda and HTTP, for sending and for receiving."""
