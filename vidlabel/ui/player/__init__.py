"""Centre column: the clip, its transport and its timeline."""
