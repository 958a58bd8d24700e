"""The models page: what models there are, and the card of each."""
