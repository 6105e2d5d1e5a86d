"""The only exceptions a user can see. Each says what was wrong, where, and what to do.

The command line prints the message as one stderr line and exits with `exit_code`.
"""

__all__ = [
    "AugustusError",
    "ClusterError",
    "InputError",
    "ModelError",
    "OptionError",
    "SpeciesError",
    "TrainingError",
]


class AugustusError(Exception):
    """Anything the user can mend; the message stands alone on one line."""

    exit_code = 1


class InputError(AugustusError):
    """A sequence, annotation or hints file cannot be used."""


class OptionError(AugustusError):
    """An option is unknown, malformed or contradicts another one."""


class SpeciesError(AugustusError):
    """A species profile does not exist or is incomplete."""


class ModelError(AugustusError):
    """A checkpoint is missing, corrupt or does not fit its configuration."""


class ClusterError(AugustusError):
    """The machines of a cluster cannot be used, or are lost."""


class TrainingError(AugustusError):
    """Training cannot start or go on with this data or these settings."""
