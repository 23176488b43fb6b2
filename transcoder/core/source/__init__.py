"""The source at an address (a Reddit post, a playlist or a file), and what of it is selected for a job."""
