"""The evaluate page: how good a model is on decided clips, and which clips to look at again."""
