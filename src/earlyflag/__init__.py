"""earlyflag: which households may be owed a homelessness duty, why, and whether help helped."""

__version__ = "0.1.0"
