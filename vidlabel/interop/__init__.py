"""Formats in and out, one file each. They know the words of the product, not the database or the media."""
