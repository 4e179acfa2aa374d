"""What M and D learn: sampling, steps, the trainer and its checkpoints."""
