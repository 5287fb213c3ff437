"""Every error a user can meet, each with its exit code (command line) and status (web).

A message says what, how many, where and what next. It never carries a name, an address, a date
of birth or the value of a row.
"""

from __future__ import annotations


class EarlyflagError(Exception):
    """The base of every error whose message is written for its reader."""

    exit_code = 1
    http_status = 500


class Misused(EarlyflagError):
    """A command or call was given arguments that do not fit together."""

    exit_code = 2
    http_status = 422


class SettingsInvalid(Misused):
    """The settings name a value that cannot be used."""


class WrongHome(EarlyflagError):
    """The home folder is not one, or is not writable."""

    exit_code = 3


class StepMissing(EarlyflagError):
    """An earlier step has not run: no extracts, no households, no model yet."""

    exit_code = 4
    http_status = 503


class PortTaken(EarlyflagError):
    """Another program listens on the port."""

    exit_code = 5


class ExtractRejected(EarlyflagError):
    """A delivery breaks the data contract beyond the share that the settings allow.

    Parameters
    ----------
    summary : object or None
        What the ingestion counted before it refused, for whoever reports it.
    """

    exit_code = 10
    http_status = 422

    def __init__(self, message: str, summary: object | None = None) -> None:
        super().__init__(message)
        self.summary = summary


class MappingInvalid(Misused):
    """A supplier's mapping names a table, column, format or code that does not exist."""

    exit_code = 11


class LawfulBasisMissing(EarlyflagError):
    """A table would be read without a lawful basis on record."""

    exit_code = 12
    http_status = 403


class LinkageConflict(EarlyflagError):
    """Linkage would put one person in two households at one `as_of`."""

    exit_code = 20


class UndeclaredFeature(EarlyflagError):
    """A feature, window or column is used that the catalogue does not declare."""

    exit_code = 30
    http_status = 422


class HorizonUnfinished(EarlyflagError):
    """A label was asked for before its horizon had passed in the data."""

    exit_code = 31


class SpecificationInvalid(Misused):
    """A model specification has an unknown key, a contradiction or a forbidden column."""

    exit_code = 40


class WindowsOverlap(SpecificationInvalid):
    """Training and test windows overlap: a label would be known from the future."""

    exit_code = 41


class PromotionRefused(EarlyflagError):
    """The promotion gate found the model not fit to serve."""

    exit_code = 42
    http_status = 409


class ArtefactDamaged(EarlyflagError):
    """A model artefact does not match its manifest or its golden rows."""

    exit_code = 43
    http_status = 503


class FeatureListDiffers(EarlyflagError):
    """The rows to score do not have the features that the model was trained on."""

    exit_code = 44
    http_status = 422


class ReasonsDoNotAddUp(EarlyflagError):
    """Contributions and base do not sum to the score that is shown."""

    exit_code = 45


class GroupTooSmall(EarlyflagError):
    """A figure would be printed for a group smaller than the disclosure limit."""

    exit_code = 50
    http_status = 422


class NotFound(EarlyflagError):
    """What was asked for does not exist, or not for this person.

    Parameters
    ----------
    message : str
        The same whether it does not exist or is hidden.
    is_audited : bool
        Whether the audit is told that somebody asked for it.
    household_id : str or None
        The hidden household that was asked for, for the audit alone.
    """

    exit_code = 60
    http_status = 404

    def __init__(
        self, message: str, *, is_audited: bool = False, household_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.is_audited, self.household_id = is_audited, household_id


class NotAllowed(EarlyflagError):
    """The rules forbid this action to this person or in this state."""

    exit_code = 61
    http_status = 403


class PurposeMissing(NotAllowed):
    """A household outside one's own work is opened before its purpose is stated."""


class NotSignedIn(EarlyflagError):
    """No valid session or key came with the request."""

    exit_code = 62
    http_status = 401


class Conflict(EarlyflagError):
    """Somebody else changed this first, or it was done already."""

    exit_code = 63
    http_status = 409


class Stale(Conflict):
    """The change was made against a version that is no longer the newest."""

    http_status = 412


class PreconditionMissing(Misused):
    """A change came without the version it was made against."""

    http_status = 428


class InputInvalid(Misused):
    """A field of the request is not what was expected.

    Parameters
    ----------
    message : str
        For the reader, without the value that was sent.
    field : str or None
        The name of the field, for the page or the problem document to point at.
    expected, got : str or None
        What the field takes and what kind of thing came, for the problem document.
    """

    def __init__(
        self,
        message: str,
        field: str | None = None,
        *,
        expected: str | None = None,
        got: str | None = None,
    ) -> None:
        super().__init__(message)
        self.field, self.expected, self.got = field, expected, got


class TooMany(EarlyflagError):
    """A limit on how often something may be done has been reached."""

    exit_code = 64
    http_status = 429


class AuditBroken(EarlyflagError):
    """The audit chain has a gap, a change or a row out of order."""

    exit_code = 70
