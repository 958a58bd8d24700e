"""Right column: suggestions, picker, verdicts, history."""
