"""The error that is shown without a traceback."""


class DemoError(Exception):
    """Something the user can understand and mend; the text says what and how."""
