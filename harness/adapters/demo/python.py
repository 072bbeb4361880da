"""A demonstration: an implementation of a few operations of MDSM, with an adapter around it, in Python 3.8 or later.

One bug is planted here. It is a classic, it passes many cases, and no comment gives it away. Find it with

    mdsm-harness check -- python3 adapter.py

and ask with `mdsm-harness explain ID` what a case that failed wants. Then mend the line and check again.
"""

import base64
import hashlib
import json
import sys
from itertools import zip_longest

LEAVES = {1: (1, 10), 2: (1, 16384), 3: (1, 10), 4: (0, 65536)}


class Reject(Exception):
    """Raised with a class of the protocol's list, and words for people."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def layers(leaves):
    """All layers of the tree, from the hashes of the leaves to the root."""
    layer = [sha256(b"\0", leaf) for leaf in leaves]
    yield layer
    while len(layer) > 1:
        layer = [sha256(b"\1", left, right or left) for left, right in zip_longest(layer[::2], layer[1::2])]
        yield layer


def tree(leaves):
    return list(layers(leaves))[-1][0] if leaves else sha256()


def level_root(level, size, root):
    return sha256(bytes([2, level]), size.to_bytes(4, "little"), root)


def merkle_root(args):
    return {"root": tree([data(leaf) for leaf in args["leaves"]]).hex()}


def merkle_level(args):
    level, leaves = args["level"], [data(leaf) for leaf in args["leaves"]]
    low, high = LEAVES.get(level, (1, 0))
    if not low <= len(leaves) <= high:
        raise Reject("bound", f"{len(leaves)} leaves on level {level}")
    return {"root": level_root(level, len(leaves), tree(leaves)).hex()}


def merkle_path(args):
    leaves, index, path = [data(leaf) for leaf in args["leaves"]], args["index"], []
    if index >= len(leaves):
        raise Reject("shape", f"no leaf {index} among {len(leaves)}")
    for layer in layers(leaves):
        path += [node.hex() for at, node in enumerate(layer) if at == index ^ 1]
        index //= 2
    return {"path": path}


def merkle_verify(args):
    index, size, path = args["index"], args["size"], [data(node) for node in args["path"]]
    if index >= size or size > LEAVES[args["level"]][1]:
        raise Reject("shape", f"no leaf {index} of {size} on this level")
    node, left = sha256(b"\0", data(args["leaf"])), size
    while left > 1:
        if index ^ 1 < left:
            if not path:
                raise Reject("shape", "the path is too short")
            sibling = path.pop(0)
            node = sha256(b"\1", *((sibling, node) if index % 2 else (node, sibling)))
        index, left = index // 2, (left + 1) // 2
    if path:
        raise Reject("shape", "the path is too long")
    if level_root(args["level"], size, node) != data(args["root"]):
        raise Reject("root", "the path leads elsewhere")
    return {}


def paper_rank(args):
    ranking = sorted(args["institutions"], key=lambda i: (-i["rating"], -i["centre"], i["institution"]))
    if len(ranking) < 121:
        raise Reject("refused", "too few for the seats")
    ids = [i["institution"] for i in ranking]
    return {"producers": ids[:101], "auditors": ids[101:121]}


def paper_items(args):
    full, rest = divmod(args["records"], 10)
    return {"items": [10] * full + [rest] * (rest > 0)}


def paper_admit(args):
    size = int(args["bytes"])
    if size == 0:
        raise Reject("bound", "no content")
    return {"place": "item" if size <= 102400 and not args["private"] else "database"}


OPERATIONS = {
    "merkle.root": merkle_root, "merkle.level": merkle_level, "merkle.path": merkle_path, "merkle.verify": merkle_verify,
    "paper.rank": paper_rank, "paper.items": paper_items, "paper.admit": paper_admit,
}


def data(text):
    return base64.b64decode(text[4:]) if text.startswith("b64:") else bytes.fromhex(text)


def answer(request):
    if request["verb"] == "hello":
        return {"ok": {"protocol": 1, "name": "demo", "version": "0.1", "language": "Python", "ops": list(OPERATIONS)}}
    if request["verb"] == "reset":
        return {"ok": {}}
    if request["verb"] != "call" or request["op"] not in OPERATIONS:
        return {"unsupported": request.get("op", request["verb"])}
    try:
        return {"ok": OPERATIONS[request["op"]](request["args"])}
    except Reject as reject:
        return {"reject": dict(zip(("class", "detail"), reject.args))}


for line in sys.stdin.buffer:
    request = json.loads(line)
    if request["verb"] == "bye":
        break
    print(json.dumps({"id": request["id"], **answer(request)}), flush=True)
