"""The review page: a grid of looping clips of one label, culled by click."""
