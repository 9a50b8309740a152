"""The case pool: cases, revisions, runs and models of one project, and the files behind them."""

from training.pool.project import Project
from training.pool.records import (
    Case,
    Draft,
    ImportReport,
    IncomingCase,
    Model,
    Proposal,
    Revision,
    Run,
    Waiting,
)

__all__ = [
    "Case",
    "Draft",
    "ImportReport",
    "IncomingCase",
    "Model",
    "Project",
    "Proposal",
    "Revision",
    "Run",
    "Waiting",
]
