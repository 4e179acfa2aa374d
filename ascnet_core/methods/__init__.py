"""What ASC-Net is compared with, behind one interface."""
