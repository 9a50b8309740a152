"""The headless half: pool, formats, descriptions, rounds, engine, commands. Never napari, Qt, magicgui or psygnal."""
