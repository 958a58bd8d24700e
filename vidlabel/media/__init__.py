"""Video files: finding, knowing, reading and writing them. Stands on PyAV; knows no store and no model."""
