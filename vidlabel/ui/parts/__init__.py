"""Small building blocks that the columns share."""
