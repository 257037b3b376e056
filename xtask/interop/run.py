"""Does what `cargo xtask interop` asks on standard input, with the library named as the argument, and answers on standard output.

Each `with_*.py` has NAME and VERSION, `verify(task)` that returns the claims or raises, `issue(task)` that returns a token (or no
`issue` if the library issues none here), and `reason(error)`: why its own errors refuse a token. Any other error is a fault of the run.
"""

import importlib
import json
import sys
import warnings

# Libraries warn about what the next version will not have; here it is about this version.
warnings.simplefilter("ignore")


def verdict(library, task):
    try:
        claims = library.verify(task)
    except library.ERRORS as error:
        return {"id": task["id"], "reason": library.reason(error), "error": type(error).__name__}
    return {"id": task["id"], "accepted": {"sub": claims["sub"], "email": claims["user"]["email"]}}


def main():
    library = importlib.import_module(sys.argv[1])
    asked = json.load(sys.stdin)
    issue = getattr(library, "issue", None)
    answer = {
        "library": library.NAME,
        "version": library.VERSION,
        "verdicts": [verdict(library, task) for task in asked["verify"]],
        "issued": [{"id": task["id"], "token": issue(task)} for task in asked["issue"]] if issue else [],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
