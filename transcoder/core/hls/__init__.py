"""Turns playlists into a plan of what to fetch (RFC 8216)."""
