"""Training methods, one module each: from films and settings to the loss of a step. No loop, no optimizer, no files."""
