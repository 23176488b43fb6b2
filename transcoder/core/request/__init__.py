"""What a caller asks for, and whether they may: query and parameters to a checked job."""
