"""What comes out: its header, its timeline, its joins and cuts, and whether it is whole."""
