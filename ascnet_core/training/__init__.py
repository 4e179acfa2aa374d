"""Training, the same for all methods: sampling, steps, several processes, checkpoints."""
