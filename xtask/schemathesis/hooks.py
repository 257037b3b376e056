"""What the tests need to get past the front door: accounts, tokens, and values that are taken only once.

Requests that are meant to be valid are given real values where a made-up one would only be refused: an address that nobody has,
a password that is the account's, a token that is alive. Requests that are meant to be wrong stay as they were made, but for the
ID token, without which nobody would look at them.
"""

import itertools
import os
import threading
import time

import requests
import schemathesis

BASE = os.environ["REVOLVE_URL"] + "/api/account"
PASSWORD = "correct horse battery"
# The issuer's, from which a refresh token may be asked for in a cookie.
ORIGIN = "http://localhost:8080"
# So long an ID token is used before it is refreshed.
FRESH = 120
# They end the session that calls, or change the password: each call gets an account of its own.
ENDING = {"deleteAccount", "signOut", "changePassword", "endSession"}

# They take a device credential alone.
UNAUTHENTICATED = {"signUp", "signIn", "refresh", "oauthToken"}

numbers = itertools.count(1)
session = threading.local()


def http():
    """A connection that is kept, for each thread."""
    if not hasattr(session, "http"):
        session.http = requests.Session()
    return session.http


class Account:
    """Somebody who has just signed up."""

    def __init__(self):
        self.email = f"somebody{os.getpid()}x{next(numbers)}@example.org"
        body = {"email": self.email, "password": PASSWORD}
        answer = http().post(f"{BASE}/signup", json=body, timeout=30)
        answer.raise_for_status()
        self.keep(answer.json())

    def keep(self, answer):
        self.tokens, self.session, self.since = answer["tokens"], answer["session"]["id"], time.monotonic()
        self.credential = answer.get("device", {}).get("credential", getattr(self, "credential", None))

    def token(self):
        """The ID token, refreshed when it gets old."""
        if time.monotonic() - self.since > FRESH:
            answer = http().post(f"{BASE}/tokens", json={"refreshToken": self.tokens["refreshToken"]}, timeout=30)
            answer.raise_for_status()
            self.keep(answer.json())
        return self.tokens["idToken"]


    def reauthentication(self):
        """What the password gives, for what is sensitive."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = http().post(f"{BASE}/reauthenticate", json={"currentPassword": PASSWORD}, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()["reauthentication"]


shared = threading.local()


def somebody(name):
    """An account of the thread, for one purpose."""
    if not hasattr(shared, name):
        setattr(shared, name, Account())
    return getattr(shared, name)


def account(operation):
    """The account that calls: its own for what ends its session, otherwise one for all calls of the thread."""
    return Account() if operation in ENDING else somebody("caller")


@schemathesis.deserializer("application/json", "application/jwt")
def content(context, response):
    """JSON, but for a signed statement, which the tool would read as JSON, too."""
    signed = response.headers.get("content-type") == ["application/jwt"]
    return response.content.decode() if signed else response.json()


def is_meant_to_be_valid(case):
    return case.meta is None or case.meta.generation.mode.is_positive


@schemathesis.auth(refresh_interval=None)
class IdToken:
    """The ID token of the account that calls."""

    def get(self, case, context):
        return account(case.operation.definition.raw.get("operationId"))

    def set(self, case, caller, context):
        operation = case.operation.definition.raw.get("operationId")
        if operation == "oauthIntrospect":
            case.headers["Authorization"] = f"Bearer {os.environ['REVOLVE_API_KEY']}"
        elif case.operation.definition.raw.get("security") and operation not in UNAUTHENTICATED:
            case.headers["Authorization"] = f"Bearer {caller.token()}"
        if is_meant_to_be_valid(case):
            give_real_values(operation, case, caller)


def give_real_values(operation, case, caller):
    body = case.body if isinstance(case.body, dict) else {}
    if "Revolve-Tokens" in case.headers:
        case.headers["Origin"] = ORIGIN
    if operation == "signUp":
        body["email"] = f"nobody{os.getpid()}x{next(numbers)}@example.org"
    elif operation == "signIn":
        # Its address stays, unlike the caller's.
        body.update(email=somebody("signs_in").email, password=PASSWORD)
    elif operation in {"refresh", "oauthToken"}:
        fresh = Account()
        name = "refreshToken" if operation == "refresh" else "refresh_token"
        if operation == "refresh":
            case.body, case.media_type = {}, "application/json"
            case.headers.pop("Revolve-Tokens", None)
        case.body[name] = fresh.tokens["refreshToken"]
        if "Revolve-Device" in case.headers:
            case.headers["Revolve-Device"] = fresh.credential
        case.cookies.clear()
    elif operation == "oauthIntrospect":
        body["token"] = caller.tokens["refreshToken"]
    elif operation == "oauthRevoke":
        body["token"] = Account().tokens["refreshToken"]
    elif operation in {"changePassword", "reauthenticate"}:
        body["currentPassword"] = PASSWORD
    elif operation == "deleteAccount":
        case.headers["Revolve-Reauthentication"] = caller.reauthentication()
    elif operation == "updateDetails" and body.get("email") is not None:
        body.update(email=f"nobody{os.getpid()}x{next(numbers)}@example.org", currentPassword=PASSWORD)
    elif operation == "endSession":
        case.path_parameters["sid"] = caller.session


@schemathesis.hook
def before_call(context, case, kwargs):
    """Nobody has the time to wait for an hour."""
    wait = (case.query or {}).get("wait")
    if isinstance(wait, int) and not isinstance(wait, bool) and wait > 1:
        case.query["wait"] = 1
