"""Reads the `otpauth:` URI on standard input with pyotp, and answers its codes of now and of the step after on standard output."""

import json
import sys
import time
from importlib.metadata import version

import pyotp

app = pyotp.parse_uri(json.load(sys.stdin))
now = int(time.time())
codes = [app.at(now + step * app.interval) for step in (0, 1)]
json.dump({"library": "pyotp", "version": version("pyotp"), "codes": codes}, sys.stdout)
