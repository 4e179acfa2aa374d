"""How a mask compares with the truth; works without torch."""
