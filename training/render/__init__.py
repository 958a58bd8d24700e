"""Clips made from motion: silhouettes composited, motion captures, animations and written movement."""
