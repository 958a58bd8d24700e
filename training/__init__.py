"""Recipes that make the bundled model and the sample clips. Nothing in ``vidlabel`` imports this."""
