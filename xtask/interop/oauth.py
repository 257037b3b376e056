"""Plays an OAuth client for an hour, as `cargo xtask interop` asks on standard input, with the library named as the argument: finds the
endpoints, refreshes, asks about tokens, reads user info, signs out. Answers on standard output what it has done; what goes wrong ends the run."""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import requests

# The service is on this machine, without TLS.
os.environ.update(OAUTHLIB_INSECURE_TRANSPORT="1", AUTHLIB_INSECURE_TRANSPORT="1")

asked = json.load(sys.stdin)
# What the service asks of a session that is bound to its device.
DEVICE = {"Revolve-Device": asked["credential"]}


def metadata(name):
    answer = requests.get(f"{asked['issuer']}/.well-known/{name}", timeout=10)
    answer.raise_for_status()
    return answer.json()


class Authlib:
    NAME = "Authlib"

    def __init__(self, server):
        from authlib.integrations.base_client import OAuthError
        from authlib.integrations.requests_client import OAuth2Session

        self.error, self.server = OAuthError, server
        self.client = OAuth2Session(
            asked["audience"], token_endpoint_auth_method="none", revocation_endpoint_auth_method="none"
        )
        self.service = OAuth2Session("a-service", asked["key"], token_endpoint_auth_method="client_secret_basic")

    def refresh(self, token):
        return self.client.refresh_token(self.server["token_endpoint"], refresh_token=token, headers=DEVICE)

    def user_info(self):
        return self.client.get(self.server["userinfo_endpoint"])

    def introspect(self, token):
        return self.service.introspect_token(self.server["introspection_endpoint"], token=token)

    def revoke(self, token):
        return self.client.revoke_token(self.server["revocation_endpoint"], token=token)


class RequestsOauthlib:
    """It has no introspection and no revocation of its own; oauthlib below it writes the request of the latter."""

    NAME = "requests-oauthlib"

    def __init__(self, server):
        from oauthlib.oauth2 import OAuth2Error
        from requests_oauthlib import OAuth2Session

        self.error, self.server = OAuth2Error, server
        self.client = OAuth2Session(asked["audience"], scope=["openid", "email"])

    def refresh(self, token):
        return self.client.refresh_token(self.server["token_endpoint"], refresh_token=token, headers=DEVICE)

    def user_info(self):
        return self.client.get(self.server["userinfo_endpoint"])

    def introspect(self, token):
        return requests.post(
            self.server["introspection_endpoint"], data={"token": token}, auth=("a-service", asked["key"]), timeout=10
        )

    def revoke(self, token):
        url, headers, body = self.client._client.prepare_token_revocation_request(
            self.server["revocation_endpoint"], token, token_type_hint="refresh_token"
        )
        return requests.post(url, data=body, headers=headers, timeout=10)


def wait(seconds):
    """The clock of this process and of the service is a file; without one there is no time to pass."""
    if asked["clock"]:
        clock = Path(asked["clock"])
        now = int(clock.read_text().strip().rstrip("s"))
        clock.write_text(f"+{now + seconds}s\n")


def told(answer):
    answer.raise_for_status()
    return answer.json() if answer.text else None


def is_equal(one, other):
    if one != other:
        raise SystemExit(f"{one!r} is not {other!r}")


def is_refused(library, token):
    try:
        library.refresh(token)
    except library.error as error:
        is_equal(error.error, "invalid_grant")
        return
    raise SystemExit("it was answered")


def main():
    server = metadata("oauth-authorization-server")
    is_equal(server, metadata("openid-configuration"))
    library = {"authlib": Authlib, "requests-oauthlib": RequestsOauthlib}[sys.argv[1]](server)

    def is_active(token):
        return told(library.introspect(token))["active"]

    refresh_token, answer = asked["refreshToken"], None
    for _ in range(asked["refreshes"]):
        wait(asked["pause"])
        parent = refresh_token
        answer = library.refresh(parent)
        refresh_token = answer["refresh_token"]
        is_equal(refresh_token == parent, False)
        is_equal(answer["id_token"], answer["access_token"])
        access = told(library.introspect(answer["access_token"]))
        is_equal(
            [access["token_type"], told(library.introspect(refresh_token))["token_type"], access["sid"]],
            ["Bearer", "N_A", asked["session"]],
        )
        # With the token that the library keeps.
        info = told(library.user_info())
        is_equal([info["sub"], info["email"]], [access["sub"], asked["email"]])
        is_equal(is_active(parent), False)
        # As if the answer had been lost.
        is_equal(library.refresh(parent)["refresh_token"], refresh_token)
    is_refused(library, answer["access_token"])
    for _ in range(2):
        told(library.revoke(refresh_token))
    is_refused(library, refresh_token)
    is_equal([is_active(refresh_token), is_active(answer["access_token"])], [False, False])
    json.dump({"library": library.NAME, "version": version(library.NAME)}, sys.stdout)


main()
