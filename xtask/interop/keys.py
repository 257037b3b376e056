"""Makes a key pair for each algorithm, as JWKs on standard output. Only the public ones say `kid` (RFC 7638), `alg` and `use`: with the
private ones a thief signs as well, whatever they are for."""

import json
import sys

from joserfc import jwk

MAKERS = {
    "RS256": lambda: jwk.RSAKey.generate_key(2048),
    "PS256": lambda: jwk.RSAKey.generate_key(2048),
    "ES256": lambda: jwk.ECKey.generate_key("P-256"),
    "EdDSA": lambda: jwk.OKPKey.generate_key("Ed25519"),
}


def made(algorithm, make):
    key = make()
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "alg": algorithm, "use": "sig"}
    return {"private": {name: value for name, value in key.as_dict(private=True).items() if name != "kid"}, "public": public}


json.dump({algorithm: made(algorithm, make) for algorithm, make in MAKERS.items()}, sys.stdout)
