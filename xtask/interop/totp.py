"""Reads the `otpauth:` URI on standard input with pyotp, and answers its codes of now and of the step after on standard output."""

import json
import sys
import time
from importlib.metadata import version

import pyotp

app = pyotp.parse_uri(json.load(sys.stdin))
now = int(time.time())
json.dump({"library": "pyotp", "version": version("pyotp"), "codes": [app.at(now, step) for step in (0, 1)]}, sys.stdout)
