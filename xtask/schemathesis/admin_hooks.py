"""What the tests of the admin API need: the key, accounts, sessions, mails and webhooks that are there, and values that are taken only once.

Requests that are meant to be valid are given real values where a made-up one would only be refused. Requests that are meant to be wrong stay
as they were made, but for the key, without which nobody would look at them. How each operation was answered is written down at the end: one
that was never carried out was not tested.
"""

import atexit
import base64
import collections
import hashlib
import hmac
import http.server
import itertools
import json
import os
import struct
import threading
import time
import uuid

import requests
import schemathesis

BASE = os.environ["REVOLVE_URL"] + "/api/admin"
PUBLIC = os.environ["REVOLVE_PUBLIC_URL"] + "/api/account"
KEY = {"Authorization": f"Bearer {os.environ['REVOLVE_API_KEY']}"}
PASSWORD = "correct horse battery"
# A mail is tried this soon, in seconds: the mail server refuses connections.
TRIED_WITHIN = 10

numbers = itertools.count(1)
local = threading.local()
answers = collections.defaultdict(set)
# Webhooks of one request each: there may be 50.
webhooks = set()


class Hooks(http.server.BaseHTTPRequestHandler):
    """Takes every event."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


hooks = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hooks)
threading.Thread(target=hooks.serve_forever, daemon=True).start()
HOOKS = f"http://127.0.0.1:{hooks.server_port}/hooks"


def ask(method, url, **more):
    """The answer to a request that has to be carried out, over a connection that is kept, for each thread."""
    if not hasattr(local, "http"):
        local.http = requests.Session()
    answer = local.http.request(method, url, timeout=30, **more)
    answer.raise_for_status()
    return answer


def admin(method, path, body=None):
    return ask(method, f"{BASE}{path}", json=body, headers=KEY)


def new_address():
    return f"somebody{os.getpid()}x{next(numbers)}@example.org"


def new_account():
    """The id of an account that nothing else uses."""
    body = {"email": new_address(), "password": PASSWORD}
    return admin("POST", "/users", body).json()["user"]["uid"]


def sign_up():
    body = {"email": new_address(), "password": PASSWORD}
    return ask("POST", f"{PUBLIC}/signup", json=body).json()


def uid_of(answer):
    claims = answer["tokens"]["idToken"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return claims["sub"]


def new_session():
    """An account and a session of its own."""
    answer = sign_up()
    return uid_of(answer), answer["session"]["id"]


def code_of(secret):
    """What an authenticator app shows now (RFC 6238)."""
    step = struct.pack(">Q", int(time.time()) // 30)
    mac = hmac.digest(base64.b32decode(secret), step, hashlib.sha1)
    start = mac[-1] & 15
    return f"{(int.from_bytes(mac[start:start + 4]) & 0x7FFFFFFF) % 1_000_000:06}"


def new_account_with_an_app():
    """The id of an account that an authenticator app belongs to."""
    own = sign_up()
    signed_in = {"Authorization": f"Bearer {own['tokens']['idToken']}"}
    password = {"currentPassword": PASSWORD}
    proof = ask("POST", f"{PUBLIC}/reauthenticate", json=password, headers=signed_in).json()
    proved = signed_in | {"Revolve-Reauthentication": proof["reauthentication"]}
    secret = ask("POST", f"{PUBLIC}/factors/totp", headers=proved).json()["secret"]
    ask("POST", f"{PUBLIC}/factors/totp/confirm", json={"code": code_of(secret)}, headers=proved)
    return uid_of(own)


def new_webhook():
    made = admin("POST", "/webhooks", {"name": "schemathesis", "url": HOOKS}).json()
    webhooks.add(made["webhook"]["id"])
    return made["webhook"]["id"]


def tried_mail():
    """A mail that waits for its next attempt."""
    admin("POST", "/users", {"email": new_address(), "invite": True})
    end = time.monotonic() + TRIED_WITHIN
    while time.monotonic() < end:
        waiting = admin("GET", "/deliveries?state=waiting&limit=200").json()["deliveries"]
        tried = [mail["id"] for mail in waiting if mail["attempts"] > 0]
        if tried:
            return tried[-1]
        time.sleep(0.02)
    raise RuntimeError("no mail was tried")


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
    path, query, headers = case.path_parameters or {}, case.query or {}, case.headers or {}
    if operation == "endUserSession":
        path["uid"], path["sid"] = new_session()
    elif operation == "resetUserFactors":
        path["uid"] = new_account_with_an_app()
    elif "uid" in path:
        path["uid"] = new_account()
    elif operation == "retryDelivery":
        path["id"] = tried_mail()
    elif "id" in path:
        path["id"] = new_webhook()
    if "after" in query:
        query["after"] = cursor(operation)
    if "If-Match" in headers:
        headers["If-Match"] = admin("GET", f"/users/{path['uid']}").headers["ETag"]
    if "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = f"{os.getpid()}-{next(numbers)}"
    if isinstance(case.body, dict):
        give_real_members(operation, case.body)


def cursor(operation):
    """Where a page ends."""
    if operation == "listEvents":
        return admin("GET", "/events?limit=1").json()["entries"][0]["id"]
    new_account()
    new_account()
    return admin("GET", "/users?limit=1").json()["next"]


def give_real_members(operation, body):
    if operation == "createUser":
        body["email"] = new_address()
        if body.get("invite") is True:
            body.pop("password", None)
        else:
            body["password"] = PASSWORD
        if "uid" in body:
            body["uid"] = str(uuid.uuid4())
    elif operation == "changeUser" and body.get("email") is not None:
        body["email"] = new_address()
    elif operation in {"createWebhook", "changeWebhook"}:
        if "url" in body or operation == "createWebhook":
            body["url"] = HOOKS
        if body.get("events"):
            body["events"] = ["account.*", "session.reused"]
    elif operation == "replayWebhook":
        body.update({"from": "2026-01-01T00:00:00Z"})
        body.pop("to", None)


@schemathesis.hook
def after_call(context, case, response):
    """Keeps how an operation was answered, and removes the webhook of the request."""
    operation = case.operation.definition.raw.get("operationId")
    answers[operation].add(response.status_code)
    used = (case.path_parameters or {}).get("id")
    if operation == "createWebhook" and response.status_code == 201:
        used = response.json()["webhook"]["id"]
        webhooks.add(used)
    if used in webhooks:
        webhooks.discard(used)
        requests.delete(f"{BASE}/webhooks/{used}", headers=KEY, timeout=30)


@atexit.register
def write_answers():
    with open(os.environ["REVOLVE_ANSWERS"], "w", encoding="utf-8") as file:
        json.dump({operation: sorted(statuses) for operation, statuses in answers.items()}, file)
