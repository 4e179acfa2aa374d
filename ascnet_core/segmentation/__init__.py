"""From a volume to cuts, a histogram, a threshold and a mask."""
