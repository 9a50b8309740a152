"""The parts of `step_time.py`: a step of this project, the same step written plainly, and what both are given."""
