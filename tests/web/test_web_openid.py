"""Signing in through an identity provider that speaks OpenID Connect over HTTP on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from earlyflag.core.errors import SettingsInvalid
from earlyflag.core.settings import OpenIDSettings
from earlyflag.store.units import begin
from earlyflag.web.app import HandedIn, create_app
from earlyflag.web.openid import OpenIDProvider
from tests.web.conftest import World, make_world
from tests.web.provider import CLIENT_ID, CLIENT_SECRET, LittleProvider, running_provider

ROLES = {"App.Officer": "officer", "App.Manager": "manager", "App.SafeContact": "safe_contact"}


@dataclass
class Council:
    """A service whose people sign in at a little provider."""

    world: World
    provider: LittleProvider

    def go_to_the_provider(self, client: TestClient) -> str:
        """Begin to sign in, follow the browser to the provider, return where it sends it back."""
        start = client.get("/sign-in/openid")
        assert start.status_code == 302, start.text
        answer = httpx2.get(start.headers["location"])
        assert answer.status_code == 302
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, client: TestClient) -> Any:
        """Walk the whole way as a browser does; return the answer at its end."""
        return client.get(self.go_to_the_provider(client))

    def refused(self, client: TestClient, answer: Any, status: int = 401) -> None:
        """Check that somebody was turned away: no session, no account, and no trace of why."""
        assert answer.status_code == status, answer.text
        assert self.world.settings.openid is not None
        assert client.get("/work/mine").headers["location"].startswith("/sign-in")
        with begin(self.world.engine) as unit:
            known = [account.subject for account in unit.access.accounts()]
        assert all(subject is None for subject in known)
        for secret in (CLIENT_SECRET, "Traceback", "joserfc"):
            assert secret not in answer.text


def settings_of(folder: Path, issuer: str) -> OpenIDSettings:
    secret = folder / "client-secret"
    secret.write_text(CLIENT_SECRET + "\n")
    return OpenIDSettings(
        issuer=issuer, client_id=CLIENT_ID, client_secret_file=secret, roles=ROLES
    )


@pytest.fixture
def council(borough_file: Path, tmp_path: Path) -> Iterator[Council]:
    made = make_world(borough_file, tmp_path)
    with running_provider() as provider:
        more = {"sign_in": "openid", "openid": settings_of(tmp_path, provider.origin)}
        settings = made.settings.model_copy(update=more)
        app = create_app(settings, made.engine, HandedIn(clock=made.clock))
        yield Council(World(made.engine, made.clock, settings, app), provider)
    made.engine.dispose()


def test_somebody_signs_in_with_a_code_its_verifier_state_and_nonce(council: Council) -> None:
    client = council.world.client()
    answer = council.sign_in(client)
    assert answer.status_code == 303, answer.text
    assert council.provider.refusals == []
    asked = council.provider.asked
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 16
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/sign-in/openid/return"
    page = client.get(answer.headers["location"])
    assert "Signed in as Someone New" in page.text
    assert client.get("/users").status_code == 403


def test_app_roles_become_roles_and_permissions_each_time_one_signs_in(council: Council) -> None:
    council.sign_in(council.world.client())
    council.provider.claims = {"roles": ["App.Manager", "App.SafeContact", "App.Unknown"]}
    council.provider.is_spent = False
    assert council.sign_in(council.world.client()).status_code == 303
    with begin(council.world.engine) as unit:
        account = unit.access.account_by_subject(f"{council.provider.origin}|person-1")
    assert account is not None
    assert sorted(account.roles) == ["manager"]
    assert sorted(account.permissions) == ["safe_contact"]


@pytest.mark.parametrize("roles", [["App.Other"], [], None, "App.Officer"])
def test_whoever_has_no_role_that_is_mapped_stays_outside(council: Council, roles: object) -> None:
    council.provider.claims = {"roles": roles}
    client = council.world.client()
    council.refused(client, council.sign_in(client), 403)


def test_an_answer_with_another_state_is_refused(council: Council) -> None:
    client = council.world.client()
    back = council.go_to_the_provider(client)
    state = parse_qs(urlsplit(back).query)["state"][0]
    council.refused(client, client.get(back.replace(state, "x" * len(state))))
    assert not council.provider.is_spent


def test_an_answer_that_was_meant_for_another_browser_is_refused(council: Council) -> None:
    back = council.go_to_the_provider(council.world.client())
    victim = council.world.client()
    council.refused(victim, victim.get(back))
    assert not council.provider.is_spent


def test_a_code_with_another_verifier_is_refused_by_the_provider(council: Council) -> None:
    client = council.world.client()
    back = council.go_to_the_provider(client)
    council.provider.asked["code_challenge"] = "another"
    council.refused(client, client.get(back))
    assert council.provider.refusals == ["verifier"]


def test_an_answer_is_taken_once(council: Council) -> None:
    client = council.world.client()
    back = council.go_to_the_provider(client)
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 401


WRONG_CLAIMS = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-client"},
    "another audience, though made for us": {"aud": "another-client", "azp": CLIENT_ID},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://issuer.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": int(time.time()) - 86_400},
    "never expires": {"exp": None},
    "not valid yet": {"nbf": int(time.time()) + 86_400},
    "nobody": {"sub": None},
}


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_that_does_not_fit_is_refused(council: Council, claims: dict[str, object]) -> None:
    council.provider.claims = claims
    client = council.world.client()
    council.refused(client, council.sign_in(client))
    assert council.provider.is_spent


def test_a_token_that_somebody_else_signed_is_refused(council: Council) -> None:
    council.provider.signs_with = "another"
    client = council.world.client()
    council.refused(client, council.sign_in(client))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_signed_by_nobody_or_with_our_own_secret_is_refused(
    council: Council, algorithm: str
) -> None:
    council.provider.algorithm = algorithm
    council.provider.metadata = {"id_token_signing_alg_values_supported": [algorithm, "RS256"]}
    client = council.world.client()
    council.refused(client, council.sign_in(client))
    assert council.provider.is_spent


WRONG_METADATA = {
    "another issuer": {"issuer": "https://issuer.example"},
    "keys without TLS": {"jwks_uri": "http://keys.example/keys"},
    "tokens without TLS": {"token_endpoint": "http://tokens.example/token"},
    "sign-in without TLS": {"authorization_endpoint": "http://people.example/authorize"},
    "no keys": {"jwks_uri": None},
}


@pytest.mark.parametrize("metadata", WRONG_METADATA.values(), ids=WRONG_METADATA)
def test_a_provider_that_would_give_secrets_away_is_not_used_until_it_is_mended(
    council: Council, metadata: dict[str, object]
) -> None:
    council.provider.metadata = metadata
    client = council.world.client()
    council.refused(client, client.get("/sign-in/openid"))
    council.provider.metadata = {}
    assert council.sign_in(client).status_code == 303


@pytest.mark.parametrize(
    "issuer", ["http://issuer.example", "http://10.0.0.7:8080", "ftp://127.0.0.1", "issuer", ""]
)
def test_a_provider_beyond_this_machine_is_reached_through_tls_only(
    tmp_path: Path, issuer: str
) -> None:
    with pytest.raises(SettingsInvalid, match="https://"):
        OpenIDProvider(settings_of(tmp_path, issuer), "https://flags.example")


@pytest.mark.parametrize(
    "issuer", ["https://issuer.example/tenant/v2.0", "http://localhost:9000", "http://[::1]:9000"]
)
def test_a_provider_through_tls_or_on_this_machine_is_used(tmp_path: Path, issuer: str) -> None:
    assert OpenIDProvider(settings_of(tmp_path, issuer), "https://flags.example").state_key


def test_a_provider_that_does_not_answer_is_told_in_words(council: Council) -> None:
    gone = settings_of(council.world.settings.home, "http://127.0.0.1:9")
    settings = council.world.settings.model_copy(update={"openid": gone})
    app = create_app(settings, council.world.engine, HandedIn(clock=council.world.clock))
    answer = (
        World(council.world.engine, council.world.clock, settings, app)
        .client()
        .get("/sign-in/openid")
    )
    assert answer.status_code == 401
    assert "does not answer" in answer.text
