"""What stops a command: each is printed in one line, without a traceback."""


class ConfigurationError(Exception):
    """A setting that cannot be used. The text holds no secret."""


class DatabaseError(Exception):
    """The database cannot be used. The text holds no secret."""


class DbtError(Exception):
    """dbt did not succeed. The text is what it said, without any secret."""


class NeverBuiltError(Exception):
    """The tables that a command reads do not exist yet."""


EXPECTED = (ConfigurationError, DatabaseError, DbtError, NeverBuiltError)
