"""Coldshelf: an open, self-hosted platform for pictures of retail coolers."""
