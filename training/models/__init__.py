"""Models as things of their own: their cards, what they were measured on, comparing, sending and receiving them. The
rows are the pool's (`training.pool.registry`), the networks the engine's; no torch here."""
