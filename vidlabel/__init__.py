"""vidlabel: review and tag folders of video, with a 3D-CNN that suggests the label."""

__version__ = "0.1.0"
