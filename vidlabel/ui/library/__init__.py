"""Left column: the clips of the project, filtered and in order."""
