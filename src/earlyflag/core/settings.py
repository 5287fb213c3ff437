"""The settings: one frozen object, built at the two doors (`cli` and `web.app`) and nowhere else.

Values come, strongest first, from environment variables (`EARLYFLAG_...`), from
`settings.toml` in the home folder, and from the defaults here.
"""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from earlyflag.core.errors import SettingsInvalid
from earlyflag.core.home import Home


class LawfulBasis(BaseModel):
    """Why the council may use a table: the gateway, who approved it, when, and where it is written.

    All four are needed; a blank one refuses ingestion of the table.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gateway: str = ""
    approved_by: str = ""
    approved_on: date | None = None
    impact_assessment: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether every part is filled in."""
        texts = (self.gateway, self.approved_by, self.impact_assessment)
        return all(text.strip() for text in texts) and self.approved_on is not None


class Offer(BaseModel):
    """A kind of help that exists in the borough and that a flag can be routed to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=r"^[a-z_]+$")
    name: str
    contact: str = ""


DEFAULT_OFFERS = (
    Offer(code="floating_support", name="Floating support"),
    Offer(code="employment_support", name="Employment support"),
    Offer(code="money_advice", name="Money advice"),
    Offer(code="benefit_claim", name="Help with a benefit claim"),
    Offer(code="discretionary_payment", name="Discretionary housing payment"),
    Offer(code="landlord_negotiation", name="Negotiation with the landlord"),
    Offer(code="young_money", name="Young people's money training"),
    Offer(code="overcrowding", name="Overcrowding options"),
)


class OpenIDSettings(BaseModel):
    """The council's identity provider; roles come from its app roles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    client_id: str
    client_secret_file: Path
    roles: dict[str, str] = Field(default_factory=dict)


class Retention(BaseModel):
    """How many months each kind of record is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scores_months: int = Field(24, ge=1)
    unreviewed_flags_months: int = Field(6, ge=1)
    case_words_months: int = Field(24, ge=1)
    cases_months: int = Field(72, ge=1)
    audit_months: int = Field(72, ge=12)

    @model_validator(mode="after")
    def _words_go_before_their_case(self) -> Retention:
        if self.case_words_months > self.cases_months:
            raise ValueError("case_words_months is more than cases_months")
        return self


class Settings(BaseSettings):
    """Everything a council sets. See `docs/reference/settings.md`."""

    model_config = SettingsConfigDict(
        env_prefix="EARLYFLAG_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    home: Path = Path("data")
    database_url: str = ""
    borough_name: str = "the borough"
    team_name: str = "Early Intervention team"
    contact_phone: str = ""
    capacity: int = Field(100, ge=1)
    explore_share: float = Field(0.0, ge=0, le=0.5)
    holdback_share: float = Field(0.0, ge=0, le=0.5)
    reject_share_limit: float = Field(0.05, ge=0, le=1)
    disclosure_limit: int = Field(10, ge=2)
    lawful_basis: dict[str, LawfulBasis] = Field(default_factory=dict)
    offers: tuple[Offer, ...] = DEFAULT_OFFERS
    sign_in: Literal["local", "openid"] = "local"
    openid: OpenIDSettings | None = None
    public_origin: str = "http://127.0.0.1:8000"
    session_idle_minutes: int = Field(30, ge=1)
    session_hours: int = Field(10, ge=1)
    lookups_alert_at: int = Field(40, ge=1)
    lookups_stop_at: int = Field(80, ge=1)
    retention: Retention = Retention()
    audit_heads: Path | None = None
    audit_public_key: Path | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment override the file, whose values arrive as arguments."""
        return (env_settings, init_settings)

    @property
    def home_folder(self) -> Home:
        """The home folder as an object with a path a purpose."""
        return Home(self.home)

    @property
    def heads_file(self) -> Path:
        """The audit's exported heads: where the settings keep them, or in the home."""
        return self.audit_heads or self.home_folder.audit_heads

    @property
    def public_key_file(self) -> Path:
        """The public key of the audit's checkpoints: of the settings, or in the home."""
        return self.audit_public_key or self.home_folder.audit_public_key

    @property
    def database(self) -> str:
        """The casework database's SQLAlchemy address; SQLite in the home unless set."""
        return self.database_url or f"sqlite:///{self.home_folder.database}"


def load_settings(home: Path | None = None) -> Settings:
    """Build the settings from the environment and the home's `settings.toml`.

    Raises
    ------
    SettingsInvalid
        The file is no TOML, or a key or value is not one the settings have.
    """
    try:
        chosen = Settings().home if home is None else home
        content: dict[str, Any] = {}
        file = Home(chosen).settings_file
        if file.is_file():
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        settings = Settings(**{**content, "home": chosen})
        return settings if home is None else settings.model_copy(update={"home": home})
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"{file} is not valid TOML: {error}.") from error
    except ValidationError as error:
        raise SettingsInvalid(_readable(error)) from error


def _readable(error: ValidationError) -> str:
    """Say which keys are wrong, without the values (one of them may be a secret)."""
    lines = [
        f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()
    ]
    return "The settings cannot be used. " + "; ".join(lines) + ". See docs/reference/settings.md."
