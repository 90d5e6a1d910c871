"""Version 4.0.0 of TMF621: a translation to and from version 5.0.1."""
