"""mien: deep learning on faces and images. Importing this costs nothing; each task loads on first use."""

__version__ = "0.1.0"
