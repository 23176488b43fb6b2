"""Playlists to a plan of what to fetch (RFC 8216)."""
