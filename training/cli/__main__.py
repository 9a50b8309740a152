"""``python -m training.cli``: the same as ``semimedref``, for callers that must name the interpreter."""

from training.cli import main

main()
