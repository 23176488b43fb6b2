"""What is put on AWS: the packages, and the stack that they run in."""
