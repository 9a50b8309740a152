"""Errors that a reader can act on: one sentence that names the thing and the way out. Nothing else lives here."""


class SemiMedRefError(Exception):
    """Base of every error whose message is meant for the person at the screen."""


class PoolError(SemiMedRefError):
    """The project's folder, database or files cannot do what was asked."""


class FormatError(SemiMedRefError):
    """Something that came in (an image, a mask, a table) cannot be used."""


class ConfigError(SemiMedRefError):
    """A setting is impossible."""


class RunFolderError(SemiMedRefError):
    """A run folder is missing, damaged or in use."""


class EngineError(SemiMedRefError):
    """The engine (network, weights, device) cannot do what was asked."""
