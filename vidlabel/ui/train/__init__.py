"""The train page: setting a run up, watching it, and whether its model is better."""
