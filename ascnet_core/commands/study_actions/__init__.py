"""Actions of the verb `study`, one file each."""
