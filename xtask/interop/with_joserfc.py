"""joserfc: the key set imported as it was fetched."""

from functools import cache

import joserfc
import requests
from joserfc import errors, jwk, jwt

NAME = "joserfc"
VERSION = joserfc.__version__
ERRORS = (errors.JoseError,)
REASONS = {
    errors.ExpiredTokenError: "expired",
    errors.BadSignatureError: "signature",
    errors.UnsupportedAlgorithmError: "algorithm",
}


@cache
def key_set(uri):
    answer = requests.get(uri, timeout=10)
    answer.raise_for_status()
    keys = jwk.KeySet.import_key_set(answer.json())
    for key in keys:
        if key.kid != key.thumbprint():
            raise SystemExit(f"the kid {key.kid} is no thumbprint (RFC 7638)")
    return keys


def verify(task):
    token = jwt.decode(task["token"], key_set(task["keySet"]), algorithms=[task["algorithm"]])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": task["issuer"]},
        aud={"essential": True, "value": task["audience"]},
        sub={"essential": True},
        iat={"essential": True},
        exp={"essential": True},
    ).validate(token.claims)
    return token.claims


def issue(task):
    key = jwk.import_key(task["key"])
    return jwt.encode({"alg": task["algorithm"], **task["header"]}, task["claims"], key, algorithms=[task["algorithm"]])


def reason(error):
    if isinstance(error, errors.InvalidClaimError):
        return {"iss": "issuer", "aud": "audience"}.get(error.claim, "other")
    return REASONS.get(type(error), "other")
