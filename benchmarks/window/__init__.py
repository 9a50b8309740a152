"""The parts of `gui_latency.py`: a reader's acts in a real window, timed, and the projects they are done in."""
