"""What can go wrong, as exceptions and warnings of one family."""


class RefloopError(RuntimeError):
    """Recording or analysis is impossible; the text is one sentence that says why."""


class ConfigurationError(RefloopError):
    """The configuration, the baseline or an option is wrong: the user has to mend it."""


class RefloopWarning(UserWarning):
    """Something was not checked that should have been."""
