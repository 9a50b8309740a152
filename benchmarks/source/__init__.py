"""The parts of `code_figures.py`: the project's own source, read and judged. Nothing here is timed."""
