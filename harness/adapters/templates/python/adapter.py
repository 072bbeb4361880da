"""A first adapter for mdsm-harness: Python 3.8 or later, its standard library and nothing else.

Copy it, let the operations call your implementation, declare more of them, and ask for a verdict:

    mdsm-harness check -- python3 adapter.py

The protocol is harness/PROTOCOL.md: one JSON line comes in, one goes out.
"""

import base64
import hashlib
import json
import sys


class Reject(Exception):
    """Raise it for input that your implementation refuses, with a class of the protocol's list."""

    def __init__(self, kind, detail):
        super().__init__(detail)
        self.kind = kind


# ---- Your operations. Each takes the arguments and returns the result, both as the protocol lists them.
# ---- What stands here computes by itself; replace it by calls into what you want judged.

LEAVES = {1: (1, 10), 2: (1, 16384), 3: (1, 10), 4: (0, 65536)}


def merkle_root(args):
    return {"root": tree([data(leaf) for leaf in args["leaves"]]).hex()}


def merkle_level(args):
    level, leaves = args["level"], [data(leaf) for leaf in args["leaves"]]
    low, high = LEAVES.get(level, (1, 0))
    if not low <= len(leaves) <= high:
        raise Reject("bound", "no such level, or too few or too many leaves")
    head = bytes([2, level]) + len(leaves).to_bytes(4, "little")
    return {"root": sha256(head + tree(leaves)).hex()}


def paper_items(args):
    full, rest = divmod(args["records"], 10)
    return {"items": [10] * full + [rest] * (rest > 0)}


def paper_rank(args):
    ranking = sorted(args["institutions"], key=lambda i: (-i["rating"], -i["centre"], i["institution"]))
    if len(ranking) < 121:
        raise Reject("refused", "too few for the seats")
    ids = [i["institution"] for i in ranking]
    return {"auditors": ids[101:121], "producers": ids[:101]}


OPERATIONS = {
    "merkle.root": merkle_root,
    "merkle.level": merkle_level,
    "paper.items": paper_items,
    "paper.rank": paper_rank,
}


def sha256(message):
    return hashlib.sha256(message).digest()


def tree(leaves):
    """RFC 6962: the left half of an uneven tree is the largest full one."""
    if len(leaves) < 2:
        return sha256(b"\0" + leaves[0] if leaves else b"")
    left = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\1" + tree(leaves[:left]) + tree(leaves[left:]))


# ---- The protocol. Nothing below changes when operations are added.

def data(text):
    return base64.b64decode(text[4:]) if text.startswith("b64:") else bytes.fromhex(text)


def answer(request):
    if request["verb"] == "hello":
        return {"ok": {"language": "Python", "name": "my-mdsm", "ops": list(OPERATIONS),
                       "protocol": 1, "version": "0.1"}}
    if request["verb"] == "reset":  # Forget here what calls left behind.
        return {"ok": {}}
    if request["verb"] != "call" or request["op"] not in OPERATIONS:
        return {"unsupported": request.get("op", request["verb"])}
    try:
        return {"ok": OPERATIONS[request["op"]](request["args"])}
    except Reject as reject:  # Any other exception ends the program, and the harness says that it died.
        return {"reject": {"class": reject.kind, "detail": str(reject)}}


for line in sys.stdin.buffer:
    request = json.loads(line)
    if request["verb"] == "bye":
        break
    print(json.dumps({"id": request["id"], **answer(request)}), flush=True)
