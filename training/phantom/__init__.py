"""Synthetic chest films with lesions in known zones: the phantom behind the demo and the tests.

Only the generator lives here. It draws; it neither writes files nor knows the pool.
"""

from __future__ import annotations

from training.phantom.case import PhantomCase, make_case
from training.phantom.config import PhantomConfig

__all__ = ["PhantomCase", "PhantomConfig", "make_case"]
