"""What is made on this machine rather than by the function: for the command line, and for programs in Python."""
