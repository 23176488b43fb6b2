"""What is said to Lambda and to HTTP clients: events, preludes, problem documents, headers, metrics."""
