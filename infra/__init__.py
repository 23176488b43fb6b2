"""The deployment to AWS: the packages, and the stack that runs them."""
