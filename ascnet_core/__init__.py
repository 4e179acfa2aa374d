"""ASC-Net Explorer's core: imaging, network, training, segmentation, methods, scoring."""

__version__ = "0.1.0"
