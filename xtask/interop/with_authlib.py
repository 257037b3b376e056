"""Authlib: its own implementation, authlib.jose."""

import warnings
from functools import cache

import authlib
import requests
from authlib.deprecate import AuthlibDeprecationWarning

# It says that the next version will be without; this one has it, and implements everything on its own.
warnings.simplefilter("ignore", AuthlibDeprecationWarning)

from authlib.jose import JsonWebKey, JsonWebToken, errors  # noqa: E402

NAME = "Authlib"
VERSION = authlib.__version__
# An unknown `kid` is a ValueError there.
ERRORS = (errors.JoseError, ValueError)
REASONS = {
    errors.ExpiredTokenError: "expired",
    errors.BadSignatureError: "signature",
    errors.UnsupportedAlgorithmError: "algorithm",
}


@cache
def key_set(uri):
    answer = requests.get(uri, timeout=10)
    answer.raise_for_status()
    return JsonWebKey.import_key_set(answer.json())


def verify(task):
    options = {
        "iss": {"essential": True, "value": task["issuer"]},
        "aud": {"essential": True, "value": task["audience"]},
        "sub": {"essential": True},
        "iat": {"essential": True},
        "exp": {"essential": True},
    }
    claims = JsonWebToken([task["algorithm"]]).decode(task["token"], key_set(task["keySet"]), claims_options=options)
    claims.validate()
    return claims


def issue(task):
    key = JsonWebKey.import_key(task["key"])
    return JsonWebToken([task["algorithm"]]).encode({"alg": task["algorithm"], **task["header"]}, task["claims"], key).decode()


def reason(error):
    if isinstance(error, errors.InvalidClaimError):
        return {"iss": "issuer", "aud": "audience"}.get(error.claim_name, "other")
    return REASONS.get(type(error), "other")
