"""Measuring, splitting, ordering and fitting: what is learned and how well. torch only inside functions."""
