"""Everything outside the process, one module or package per peer. Exceptions of the libraries used are translated here."""
