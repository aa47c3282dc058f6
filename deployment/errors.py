"""The errors a user of the commands sees.

DeploymentError
└── Interrupted
"""


class DeploymentError(Exception):
    """Something the user can act on: what is wrong, and what to do next."""


class Interrupted(DeploymentError):
    """The user broke it off; everything that ran has ended in order."""
