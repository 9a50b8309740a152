"""Everything that needs torch: networks, views, objectives, the trainer and the service. Nothing outside imports it."""
