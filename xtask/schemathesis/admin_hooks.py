"""What the tests of the admin API need: the key, accounts that are there, and values that are taken only once.

Requests that are meant to be valid are given real values where a made-up one would only be refused. Requests that are meant to be wrong stay
as they were made, but for the key, without which nobody would look at them.
"""

import itertools
import os

import requests
import schemathesis

BASE = os.environ["REVOLVE_URL"] + "/api/admin"
KEY = {"Authorization": f"Bearer {os.environ['REVOLVE_API_KEY']}"}
PASSWORD = "correct horse battery"

numbers = itertools.count(1)


def new_address():
    return f"somebody{os.getpid()}x{next(numbers)}@example.org"


def new_account():
    """The id of an account that nothing else uses."""
    answer = requests.post(f"{BASE}/users", json={"email": new_address(), "password": PASSWORD}, headers=KEY, timeout=30)
    answer.raise_for_status()
    return answer.json()["user"]["uid"]


def is_meant_to_be_valid(case):
    return case.meta is None or case.meta.generation.mode.is_positive


@schemathesis.auth(refresh_interval=None)
class ApiKey:
    """The key that may do anything."""

    def get(self, case, context):
        return KEY

    def set(self, case, key, context):
        raw = case.operation.definition.raw
        if raw.get("security"):
            case.headers.update(key)
        if is_meant_to_be_valid(case):
            give_real_values(raw.get("operationId"), case)


def give_real_values(operation, case):
    body = case.body if isinstance(case.body, dict) else {}
    if "uid" in (case.path_parameters or {}):
        case.path_parameters["uid"] = new_account()
        # Else each change would meet a version that there never was.
        (case.headers or {}).pop("If-Match", None)
    if operation == "createUser":
        body.pop("invite", None)
        body.pop("uid", None)
        body.update(email=new_address(), password=PASSWORD)
    elif operation == "changeUser" and body.get("email") is not None:
        body["email"] = new_address()
