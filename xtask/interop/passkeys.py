"""Verifies the passkeys on standard input with webauthn, and answers on standard output which it accepts. What it expects is what the service's
options say."""

import json
import sys
from importlib.metadata import version

import webauthn
from webauthn.helpers import parse_authentication_options_json, parse_registration_options_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import UserVerificationRequirement

REQUIRED = UserVerificationRequirement.REQUIRED


def register(task):
    options = parse_registration_options_json(task["options"])
    return webauthn.verify_registration_response(
        credential=task["response"],
        expected_challenge=options.challenge,
        expected_rp_id=options.rp.id,
        expected_origin=task["origin"],
        require_user_verification=options.authenticator_selection.user_verification == REQUIRED,
        supported_pub_key_algs=[parameter.alg for parameter in options.pub_key_cred_params],
    )


def sign_in(task):
    registered = register(task["registration"])
    options = parse_authentication_options_json(task["options"])
    return webauthn.verify_authentication_response(
        credential=task["response"],
        expected_challenge=options.challenge,
        expected_rp_id=options.rp_id,
        expected_origin=task["origin"],
        credential_public_key=registered.credential_public_key,
        credential_current_sign_count=registered.sign_count,
        require_user_verification=options.user_verification == REQUIRED,
    )


def is_accepted(task):
    try:
        sign_in(task) if task["registration"] else register(task)
    except WebAuthnException:
        return False
    return True


json.dump(
    {
        "library": "webauthn (PyPI)",
        "version": version("webauthn"),
        "accepted": [is_accepted(task) for task in json.load(sys.stdin)],
    },
    sys.stdout,
)
