"""How a project's database came to be as it is: one script for each schema version. Run by `training.pool.migrate`."""
