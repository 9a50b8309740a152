"""One script for each schema version, named after it."""
