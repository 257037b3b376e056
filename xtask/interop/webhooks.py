"""Verifies the webhooks on standard input with standardwebhooks, and answers on standard output which it accepts."""

import json
import sys
from importlib.metadata import version

from standardwebhooks import Webhook, WebhookVerificationError


def is_accepted(request):
    try:
        Webhook(request["secret"]).verify(request["body"], request["headers"])
    except WebhookVerificationError:
        return False
    return True


json.dump(
    {
        "library": "standardwebhooks (PyPI)",
        "version": version("standardwebhooks"),
        "accepted": [is_accepted(request) for request in json.load(sys.stdin)],
    },
    sys.stdout,
)
