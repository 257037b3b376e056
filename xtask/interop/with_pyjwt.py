"""PyJWT: the key set through PyJWKClient."""

from functools import cache

import jwt

NAME = "PyJWT"
VERSION = jwt.__version__
ERRORS = (jwt.PyJWTError,)
REASONS = {
    jwt.ExpiredSignatureError: "expired",
    jwt.InvalidAudienceError: "audience",
    jwt.InvalidIssuerError: "issuer",
    jwt.InvalidAlgorithmError: "algorithm",
    jwt.InvalidSignatureError: "signature",
}


@cache
def key_set(uri):
    return jwt.PyJWKClient(uri)


def verify(task):
    key = key_set(task["keySet"]).get_signing_key_from_jwt(task["token"])
    return jwt.decode(
        task["token"],
        key,
        algorithms=[task["algorithm"]],
        issuer=task["issuer"],
        audience=task["audience"],
        options={"require": ["iss", "sub", "aud", "iat", "exp"]},
    )


def issue(task):
    key = jwt.PyJWK(task["key"], algorithm=task["algorithm"]).key
    return jwt.encode(task["claims"], key, algorithm=task["algorithm"], headers=task["header"])


def reason(error):
    return REASONS.get(type(error), "other")
