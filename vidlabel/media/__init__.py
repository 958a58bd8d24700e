"""Video files: finding, knowing, reading and writing them. Stands on PyAV and OpenCV; knows no store and no model."""
