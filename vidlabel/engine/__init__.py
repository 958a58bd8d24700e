"""The engine.

Decoding, scanning and suggesting, without Qt. A process beside the window, or inside the command line.
"""
