"""Authlib's OpenID Connect client: finds the key set and the algorithms through /.well-known/openid-configuration."""

from functools import cache

import authlib
from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import IDToken
from joserfc import errors

NAME = "Authlib (OpenID client)"
VERSION = authlib.__version__
ERRORS = (errors.JoseError,)
REASONS = {
    errors.ExpiredTokenError: "expired",
    errors.BadSignatureError: "signature",
    errors.UnsupportedAlgorithmError: "algorithm",
}


class Client(OAuth2Mixin, OpenIDMixin, BaseApp):
    """As the integrations into web frameworks build it."""

    client_cls = OAuth2Session


@cache
def client(configuration):
    return Client(None, client_id="interop", server_metadata_url=configuration)


def verify(task):
    options = {
        "iss": {"essential": True, "value": task["issuer"]},
        "aud": {"essential": True, "value": task["audience"]},
    }
    token = {"id_token": task["token"]}
    return client(task["configuration"]).parse_id_token(token, nonce=None, claims_options=options, claims_cls=IDToken, leeway=0)


def reason(error):
    if isinstance(error, errors.InvalidClaimError):
        return {"iss": "issuer", "aud": "audience"}.get(error.claim, "other")
    return REASONS.get(type(error), "other")
