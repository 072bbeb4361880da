#!/usr/bin/env python3
"""MDSM, layer L1, written from harness/spec and harness/PROTOCOL.md alone: a second implementation, to hold the first one against.

Python 3.9, standard library only; sections in the order of PROTOCOL.md, of which wire.py, institutions.py and reencryption.py hold
one each. Every operation is a function of its arguments, and nothing is kept between requests. A rejection is a `Reject`; any other exception
ends the program, which is what the harness then counts. Not constant in time, and not meant to hold anybody's key.
"""
import functools
import json
import operator
import re
import struct
import sys
from collections import namedtuple

# Some of these are named only in the table at the end.
from institutions import AUDIT, BLOCK, FRAUD, MISS, SERVICE, START, Change, paid, ranked, run_access, run_roster
from primitives import holds, key_point, seal, sign, unseal
from reencryption import accept, encaps, key_gen, make_offer, open_capsule, re_encrypt, seal_key, set_of
from wire import CHUNK, INLINE_MAX, SETS, TAGS, TYPES, H, Reader, Reject, decode, encode, need, parse, raw, text_of

# ------------------------------------------------------------------------------------------------ lines, values, replies

OPERATIONS = {}

def hello(request):
    if 1 not in request["protocol"]:
        return {"unsupported": "speaks version 1 only"}
    return {"ok": {"protocol": 1, "name": "mdsm-python", "version": "0.1.0", "language": "Python %d.%d" % sys.version_info[:2],
                   "ops": sorted(OPERATIONS), "readings": READINGS}}

def answer(request):
    if request["verb"] == "hello":
        return hello(request)
    if request["verb"] == "reset":
        return {"ok": {}}
    if request["op"] not in OPERATIONS:
        return {"unsupported": "no operation " + request["op"]}
    try:
        return {"ok": perform(request["args"], *OPERATIONS[request["op"]])}
    except Reject as no:
        return {"reject": {"class": no.args[0], "detail": no.args[1]}}

def perform(args, function, wanted, results):
    """Calls a function as the table of operations at the end has it."""
    found = [READ[kind](args[name]) if not optional or name in args else None for name, kind, optional in wanted]
    values = function(*found)
    pairs = zip(results, values if len(results) > 1 else [values])
    return {name: WRITE[kind](value) if kind else value for (name, kind), value in pairs}

def main():
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["verb"] == "bye":
            return
        reply = {"id": request["id"], **answer(request)}
        sys.stdout.write(json.dumps(reply, default=text_of, separators=(",", ":")) + "\n")
        sys.stdout.flush()

# ------------------------------------------------------------------------------------------------ values and trees

LEAVES = {1: (1, 10), 2: (1, 16_384), 3: (1, 10), 4: (0, 65_536)}

def split(size):
    return 1 << (size - 1).bit_length() - 1

def tree(nodes):
    if len(nodes) < 2:
        return nodes[0] if nodes else H()
    k = split(len(nodes))
    return H(b"\1", tree(nodes[:k]), tree(nodes[k:]))

def level_of(level, size, root):
    return H(b"\2", struct.pack("<BI", level, size), root)

def leaf_hashes(leaves):
    return [H(b"\0", leaf) for leaf in leaves]

def level_root(level, leaves):
    return level_of(level, len(leaves), tree(leaf_hashes(leaves)))

def path_of(nodes, index):
    if len(nodes) < 2:
        return []
    k = split(len(nodes))
    return path_of(nodes[:k], index) + [tree(nodes[k:])] if index < k else path_of(nodes[k:], index - k) + [tree(nodes[:k])]

def sides(index, size):
    """For each hash of a path, from the leaf upward: whether it stands left."""
    if size < 2:
        return []
    k = split(size)
    return sides(index, k) + [False] if index < k else sides(index - k, size - k) + [True]

def climb(level, leaf, index, size, path):
    """The level root to which a path leads; none where index, size and length do not fit each other."""
    if not 0 <= index < size or len(sides(index, size)) != len(path):
        return None
    node = H(b"\0", leaf)
    for left, other in zip(sides(index, size), path):
        node = H(b"\1", other, node) if left else H(b"\1", node, other)
    return level_of(level, size, node)

def booking_of(v):
    """The booking of an envelope, or what a record has of one."""
    tag, content = v["content"]
    return {**v, "content": (tag, H(content) if tag == 0 else content)}

def record_id(booking):
    return H(b"MRID\1", booking["owner"], TYPES["metadata"].write(booking["metadata"]), TYPES["reference"].write(booking["content"]))

def item_leaves(item):
    return [encode("MBKG", booking_of(v)) for v in item["records"]]

def summary_of(payload):
    block, certificate = payload["item_block"], payload["certificate"]
    return {"item_block": block and block["header"], "certificate": certificate and H(encode("MCRT", certificate)),
            "events": H(encode("MEVS", payload["events"]))}

def block_hash(header):
    return H(encode("MBHD", header))

def anchor_root(chain_id, epoch, window, context):
    return H(b"MANR\1", chain_id, struct.pack("<I", epoch), window, context)

def anchor_digest(v):
    return anchor_root(v["chain_id"], v["epoch"], v["window"], H(b"MCTX\1", v["head"], v["state"], v["next_committees"]))

DIGESTS = {
    "MGEN": lambda v, own: {"chain_id": own}, "MREC": lambda v, own: {"record_id": record_id(booking_of(v))},
    "MBKG": lambda v, own: {"record_id": record_id(v), "leaf": H(b"\0", encode("MBKG", v))},
    "MENV": lambda v, own: {"booking_id": H(encode("MBKG", booking_of(v)))},
    "MITM": lambda v, own: {"level_root": level_root(1, item_leaves(v))}, "MIBL": lambda v, own: {"level_root": level_root(2, v["items"])},
    "MDBL": lambda v, own: {"level_root": level_root(3, v["roots"])}, "MWIN": lambda v, own: {"level_root": level_root(4, v["roots"])},
    "MANC": lambda v, own: {"anchor_root": anchor_digest(v)}, "MBLK": lambda v, own: {"hash": block_hash(v["header"])},
    "MPRP": lambda v, own: {"hash": block_hash(v["signed"]["header"])},
    "MPAY": lambda v, own: {"commitment": H(encode("MSUM", summary_of(v)))},
    "MPUB": lambda v, own: {"name": own}, "MRKY": lambda v, own: {"name": own}, "MPPK": lambda v, own: {"name": own},
    "MRCM": lambda v, own: {"committees": H(b"MROS\1", H(b"MSEA\1", TYPES["seats"].write(v)), v["institutions"])},
    "MDLV": lambda v, own: {"capsule_id": H(encode("MCAP", v["capsule"]))}}

def decode_value(tag, data):
    value = decode(tag, data)
    again = encode(tag, value)
    assert again == data, "the codec took bytes that are not the encoding of their value"
    return again, {"id": H(data), **DIGESTS.get(tag, lambda v, own: {})(value, H(data))}

def tree_of(leaves):
    return tree(leaf_hashes(leaves))

def bounded_root(level, leaves):
    low, high = LEAVES.get(level, (1, 0))
    need(low <= len(leaves) <= high, "bound", "%d leaves at level %d" % (len(leaves), level))
    return level_root(level, leaves)

def leaf_path(leaves, index):
    need(0 <= index < len(leaves), "shape", "no leaf %d" % index)
    return path_of(leaf_hashes(leaves), index)

def verify_path(level, leaf, index, size, path, root):
    low, high = LEAVES.get(level, (1, 0))
    found = climb(level, leaf, index, size, path) if low <= size <= high else None
    need(found is not None, "shape", "index, size and path do not fit each other")
    need(found == root, "root", "leads to " + found.hex())

# ------------------------------------------------------------------------------------------------ signatures and what they are under

def verify(key, message, signature):
    need(key_point(key), "key", "no point, or of small order: " + key.hex())
    need(holds(key, message, signature), "signature", "does not hold under " + key.hex())

def verify_batch(items):
    for item in items:
        verify(raw(item["key"]), raw(item["message"]), raw(item["signature"]))

def check_owner(chain_id, booking):
    verify(booking["owner"], b"MSGR\1" + chain_id + record_id(booking), booking["owner_signature"])
    return record_id(booking)

def check_envelope(chain_id, envelope):
    return check_owner(chain_id, booking_of(envelope))

def delivery_message(grant, before, capsule):
    return b"MDLM\1" + grant + before + H(encode("MCAP", capsule))

def sign_delivery(seed, grant, before, capsule):
    before = H(encode("MCAP", before))
    proxy, signature = sign(seed, delivery_message(grant, before, capsule))
    return dict(grant=grant, before=before, capsule=capsule, proxy=proxy, signature=signature)

def check_delivery(proxy, grant, reader, before, delivery):
    after = delivery["capsule"]
    need(delivery["proxy"] == proxy, "signature", "delivered by another proxy")
    need(holds(proxy, delivery_message(delivery["grant"], delivery["before"], after), delivery["signature"]), "signature", "not the proxy's")
    need(delivery["grant"] == grant and delivery["before"] == H(encode("MCAP", before)), "refused", "of another grant or capsule")
    kept = all(after[name] == before[name] for name in ("set", "key_id", "owner"))
    need(kept and after["holder"] == reader and after["hop"] == before["hop"] + 1, "refused", "another way than one hop to the reader")

def vote_message(chain_id, vote):
    tag, digest = vote["subject"]
    return b"MVOT\1" + chain_id + struct.pack("<IQB", vote["epoch"], vote["view"], tag) + (digest or bytes(32))

def check_certificate(chain_id, seats, certificate):
    bitmap, message = certificate["signers"], vote_message(chain_id, certificate["vote"])
    places = [i for i in range(8 * len(bitmap)) if bitmap[i // 8] >> i % 8 & 1]
    need(len(certificate["signatures"]) == len(places), "rule", "%d signatures of %d signers" % (len(certificate["signatures"]), len(places)))
    need(certificate["vote"]["subject"][0] != 4 or certificate["vote"]["view"] == 0, "rule", "an anchor vote has view 0")
    need(len(bitmap) == (len(seats) + 7) // 8 and max(places, default=0) < len(seats), "outsider", "a bitmap for another electorate")
    need(len(places) >= len(seats) - (len(seats) - 1) // 3, "quorum", "%d of %d" % (len(places), len(seats)))
    for place, signature in zip(places, certificate["signatures"]):
        need(holds(seats[place][1], message, signature), "signature", "that of seat %d does not hold" % place)
    return [seats[place][0] for place in places]

Epoch = namedtuple("Epoch", "chain_id producers auditors")

def check_signer(seats, signer, message, signature):
    key = dict(seats).get(signer)
    need(key is not None, "outsider", "%d has no seat" % signer)
    need(holds(key, message, signature), "signature", "that of %d does not hold" % signer)

def check_proposal(c, signed):
    """Whoever signed two blocks of a view, or a wrong one, has done so whether it led the view or not."""
    check_signer(c.producers, signed["header"]["producer"], b"MPRO\1" + block_hash(signed["header"]), signed["signature"])

def check_vote(c, seats, signed):
    check_signer(seats, signed["signer"], vote_message(c.chain_id, signed["vote"]), signed["signature"])

def judge_proposals(c, e):
    one, two = e["first"]["header"], e["second"]["header"]
    need(all(one[k] == two[k] for k in ("chain_id", "epoch", "view", "producer")) and one != two, "unproven", "no two blocks of one view")
    check_proposal(c, e["first"])
    check_proposal(c, e["second"])
    return one["producer"], one["epoch"], one["view"], 1

def judge_votes(c, e):
    one, two, signer = e["first"]["vote"], e["second"]["vote"], e["first"]["signer"]
    (tag, digest), (other_tag, other) = one["subject"], two["subject"]
    kind = {(1, 1): 2, (2, 3): 3, (3, 3): 4, (4, 4): 7}.get((min(tag, other_tag), max(tag, other_tag)))
    same = (signer, one["epoch"], one["view"]) == (e["second"]["signer"], two["epoch"], two["view"])
    need(kind != 7 or one["view"] == 0, "unproven", "a vote for an anchor that names a view is none")
    need(kind and same and digest != other, "unproven", "the two votes may stand beside each other")
    for vote in (e["first"], e["second"]):
        check_vote(c, c.producers + c.auditors if kind == 7 else c.auditors, vote)
    return signer, one["epoch"], one["view"], kind

def item_header(header, fault):
    """The header of the Item block that a summary shows, in faults that need one."""
    need(fault["summary"]["item_block"], "unproven", "the summary names no Item block")
    return fault["summary"]["item_block"]

def leads(header, fault, item_root, place):
    root = item_root and climb(2, item_root, place["index"], place["size"], place["path"])
    need(root == item_header(header, fault)["root"], "unproven", "the path leads elsewhere")

def leads_booking(header, fault, placed):
    leads(header, fault, climb(1, encode("MBKG", placed["booking"]), placed["index"], placed["size"], placed["path"]), placed["item"])
    return record_id(placed["booking"]), (placed["item"]["index"], placed["index"])

def bad_parent(c, h, fault):
    parent = fault["parent"]
    need(block_hash(parent) == h["parent"], "unproven", "another block than the parent")
    view = {h["epoch"]: parent["view"], h["epoch"] - 1: 0}.get(parent["epoch"], -1)
    return h["height"] != parent["height"] + 1 or h["timestamp"] <= parent["timestamp"] or h["parent_view"] != view

def bad_certificate(c, h, fault):
    need(H(encode("MCRT", fault["certificate"])) == fault["summary"]["certificate"], "unproven", "another certificate than the block's")
    vote = fault["certificate"]["vote"]
    for_parent = (vote["epoch"], vote["view"]) == (h["epoch"], h["parent_view"]) and vote["subject"] in ((1, h["parent"]), (3, h["parent"]))
    if h["parent_view"] == 0 or not for_parent:
        return True
    try:
        return not check_certificate(c.chain_id, c.auditors, fault["certificate"])
    except Reject:
        return True

def bad_item_block(c, h, fault):
    block = item_header(h, fault)
    return any(block[k] != h[k] for k in ("chain_id", "height", "producer")) or block["closed_at"] > h["timestamp"]

def bad_item(c, h, fault):
    leads(h, fault, level_of(1, fault["records"], fault["tree"]), fault["item"])
    return not 1 <= fault["records"] <= 10

def bad_booking(c, h, fault):
    leads_booking(h, fault, fault["first"])
    booking = fault["first"]["booking"]
    signed = holds(booking["owner"], b"MSGR\1" + c.chain_id + record_id(booking), booking["owner_signature"])
    late = booking["metadata"]["created"] > h["timestamp"] + 120_000
    return not signed or late or booking["content"][0] == 0 and booking["metadata"]["size"] > INLINE_MAX

def bad_repetition(c, h, fault):
    (one, here), (two, there) = leads_booking(h, fault, fault["first"]), leads_booking(h, fault, fault["second"])
    return one == two and here != there

FAULTS = {1: lambda c, h, fault: h["view"] <= h["parent_view"], 2: bad_parent, 3: bad_certificate, 4: bad_item_block, 5: bad_item,
          6: bad_booking, 7: bad_repetition}

def judge_block(c, e):
    header, (tag, fault) = e["block"]["header"], e["fault"]
    need("summary" not in fault or H(encode("MSUM", fault["summary"])) == header["payload"], "unproven", "another summary than the block's")
    need(FAULTS[tag](c, header, fault), "unproven", "the block has no such fault")
    if "vote" not in e:
        check_proposal(c, e["block"])
        return header["producer"], header["epoch"], header["view"], 5
    vote = e["vote"]["vote"]
    need(vote == {"epoch": header["epoch"], "view": header["view"], "subject": (1, block_hash(header))}, "unproven", "no vote for this block")
    check_vote(c, c.auditors, e["vote"])
    return e["vote"]["signer"], header["epoch"], header["view"], 6

def judge(chain_id, epoch, producers, auditors, evidence):
    c, (tag, e) = Epoch(chain_id, producers, auditors), evidence
    shown = e["first"]["vote"] if tag == 2 else (e["first"] if tag == 1 else e["block"])["header"]
    need(shown["epoch"] == epoch and shown.get("chain_id", chain_id) == chain_id, "unproven", "of another chain or epoch")
    institution, epoch, view, kind = {1: judge_proposals, 2: judge_votes, 3: judge_block, 4: judge_block}[tag](c, e)
    return institution, epoch, view, kind

# ------------------------------------------------------------------------------------------------ receipts and freezing

REGTEST = bytes.fromhex("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f")
STEPS = (("item", 1), ("block", 2), ("data", 3), ("window", 4))

def climb_all(leaf, places):
    """The root of the window to which the four paths lead, one after another."""
    path, node = places["path"], leaf
    for name, level in STEPS:
        index, size = places[name + "_index"], places[name + "_size"]
        if node is None or not LEAVES[level][0] <= size <= LEAVES[level][1] or index >= size:
            return None
        count = len(sides(index, size))
        node, path = climb(level, node, index, size, path[:count]), path[count:]
    return None if path else node

def hash256(data):
    return H(H(data))

def compact(r):
    first = r.take(1)[0]
    if first < 253:
        return first
    value = int.from_bytes(r.take(1 << first - 252), "little")
    return value if value >= (253, 1 << 16, 1 << 32)[first - 253] else r.fail("transaction", "a length in more bytes than it needs")

def scripts_of(data):
    """The scripts of the outputs of a transaction; without inputs it is in the serialisation with witness."""
    r = Reader(data)
    r.take(4)
    inputs = compact(r) or r.fail("transaction", "no inputs")
    for _ in range(inputs):
        r.take(36)
        r.take(compact(r) + 4)
    scripts = [r.take(8) and r.take(compact(r)) for _ in range(compact(r))]
    r.take(4)
    return scripts if not r.left() else r.fail("transaction", "bytes follow")

def pushed(script):
    """What a script that begins with OP_RETURN pushes first."""
    if script[:1] != b"\x6a" or len(script) < 2 or script[1] > 78:
        return b""
    width = {76: 1, 77: 2, 78: 4}.get(script[1], 0)
    length = int.from_bytes(script[2:2 + width], "little") if width else script[1]
    return script[2 + width:2 + width + length]

def read_anchor(data):
    need(len(data) != 64 and len(data) <= 4096, "transaction", "%d bytes" % len(data))
    try:
        found = [script for script in scripts_of(data) if pushed(script).startswith(b"MDSM")]
    except Reject as no:
        raise Reject("transaction", no.args[1])
    need(len(found) == 1 and len(found[0]) == 43 and found[0][1:7] == b"\x29MDSM\1", "transaction", "not exactly one MDSM output")
    return int.from_bytes(found[0][7:11], "little"), found[0][11:]

def check_headers(data):
    """Of regtest, whose difficulty never changes."""
    need(data and len(data) % 80 == 0, "headers", "%d bytes" % len(data))
    headers = [data[i:i + 80] for i in range(0, len(data), 80)]
    need(hash256(headers[0]) == REGTEST, "headers", "they do not begin with the genesis block of regtest")
    for height, header in enumerate(headers):
        need(not height or header[4:36] == hash256(headers[height - 1]), "headers", "no link at %d" % height)
        need(header[72:76] == bytes.fromhex("ffff7f20"), "headers", "other bits at %d" % height)
        need(int.from_bytes(hash256(header), "little") <= 0x7FFFFF << 232, "headers", "no work at %d" % height)
    return headers

def branch_root(part):
    node, index = hash256(part["transaction"]), part["tx_index"]
    need(index < 1 << len(part["branch"]), "headers", "index %d for a branch of %d" % (index, len(part["branch"])))
    for other in part["branch"]:
        need(not index & 1 or other != node, "headers", "a node right of its own equal")
        node, index = hash256(other + node if index & 1 else node + other), index >> 1
    return node

def verify_receipt(v, headers, content):
    booking, part = v["booking"], v["bitcoin"]
    window = climb_all(encode("MBKG", booking), v["places"])
    need(window, "shape", "sizes, indices and path do not fit each other")
    need(content is None or H(content) == booking["content"][1], "content", "another digest")
    record = check_owner(v["chain_id"], booking)
    need(part, "unanchored", "no Bitcoin part")
    epoch, root = read_anchor(part["transaction"])
    need(epoch == v["epoch"], "epoch", "that of the output is %d" % epoch)
    need(root == anchor_root(v["chain_id"], epoch, window, v["context"]), "root", "that of the output is another one")
    chain = check_headers(headers)
    need(part["height"] < len(chain), "headers", "they end before the block")
    need(branch_root(part) == chain[part["height"]][36:68], "headers", "the transaction is not in the block")
    need(len(chain) - part["height"] >= 6, "headers", "fewer than 6 confirmations")
    return record, epoch, root, hash256(chain[part["height"]])

def cut(started_at, minute, window, blocks):
    """For each block (timestamp, has Items): the groups of blocks that become data blocks at it, and whether it ends an epoch."""
    need(minute > 0 and window > 0 and window % minute == 0 and started_at % window == 0, "refused", "no start or periods of a genesis")
    before, mark, waiting = started_at, (started_at // window + 1) * window, []
    for index, (timestamp, has_items) in enumerate(blocks):
        need(timestamp > before, "refused", "block %d is not later than the one before" % index)
        groups, last = [], timestamp >= mark
        waiting += [index] if has_items else []
        while timestamp // minute != before // minute and len(waiting) >= 10:
            groups, waiting = groups + [waiting[:10]], waiting[10:]
        if last:
            groups, waiting, mark = groups + ([waiting] if waiting else []), [], (timestamp // window + 1) * window
        before = timestamp
        yield groups, last

def item_block_root(data):
    return data if len(data) == 32 else level_root(2, decode("MIBL", data)["items"])

def windows(started_at, minute, window, blocks):
    roots = [item_block_root(raw(b["item_block"])) if "item_block" in b else None for b in blocks]
    stamped, done, frozen = [(int(b["timestamp"]), root is not None) for b, root in zip(blocks, roots)], [], []
    for groups, last in cut(started_at, minute, window, stamped):
        cuts = [level_root(3, [roots[i] for i in group]) for group in groups]
        frozen += cuts
        done.append({"cut": cuts, **({"frozen": level_root(4, frozen)} if last else {})})
        frozen = [] if last else frozen
    return done

# ------------------------------------------------------------------------------------------------ sealed files

def nonce_of(prefix, counter, last):
    return prefix + struct.pack(">IB", counter, last)

def seal_file(key, prefix, salt, plain):
    need(plain, "bound", "an empty plaintext")
    header = b"MFIL\1\1\x10" + prefix
    chunks = [plain[i:i + CHUNK] for i in range(0, len(plain), CHUNK)]
    sealed = [seal(key, nonce_of(prefix, i, 0), chunk, header) for i, chunk in enumerate(chunks)]
    trailer = struct.pack("<Q", len(plain)) + salt + H(b"MCOM\1", salt, plain)
    file = header + b"".join(sealed) + seal(key, nonce_of(prefix, len(chunks), 1), trailer, header)
    return file, H(file)

def open_file(key, v):
    header, body, prefix = encode("MFIL", v)[:26], v["body"][:-72], v["nonce"]
    chunks = [body[i:i + CHUNK + 16] for i in range(0, len(body), CHUNK + 16)]
    opened = [unseal(key, nonce_of(prefix, i, 0), chunk, header) for i, chunk in enumerate(chunks)]
    trailer = unseal(key, nonce_of(prefix, len(chunks), 1), v["body"][-72:], header)
    need(trailer and all(opened), "authentication", "a tag does not hold")
    plain = b"".join(opened)
    right = struct.pack("<Q", len(plain)) + trailer[8:24] + H(b"MCOM\1", trailer[8:24], plain)
    need(trailer == right, "authentication", "the trailer states another length or commitment")
    return plain

# ------------------------------------------------------------------------------------------------ profile paper

def first_seats(institutions):
    need(len(institutions) >= 121, "refused", "%d for 121 seats" % len(institutions))
    order = [i["institution"] for i in ranked(institutions)]
    return order[:101], order[101:121]

def place_of(size, private):
    need(size > 0, "bound", "no content")
    return "item" if size <= INLINE_MAX and not private else "database"

def filled_items(records):
    return [min(10, records - start) for start in range(0, records, 10)]

def paper_leaf(record):
    return TYPES["paper_leaf"].write({"owner": raw(record["owner"]), "created": int(record["created"]), "content": H(raw(record["content"]))})

def paper_roots(records):
    """The leaves of each level of a window, as its data blocks, their Item blocks, Items and records lie in one another."""
    leaves = [[[[paper_leaf(r) for r in item] for item in block] for block in data] for data in records]
    items = [[[level_root(1, item) for item in block] for block in data] for data in leaves]
    blocks = [[level_root(2, block) for block in data] for data in items]
    return leaves, items, blocks, [level_root(3, data) for data in blocks]

def paper_window(records):
    _, items, blocks, data = paper_roots(records)
    return level_root(4, data), data, blocks, items

def paper_prove(records, at):
    leaves, items, blocks, data = paper_roots(records)
    value, path = {}, []
    for depth, index, lists, (name, _) in zip(range(4), at, (data, blocks, items, leaves), STEPS[::-1]):
        level = functools.reduce(operator.getitem, at[:depth], lists)
        need(0 <= index < len(level), "shape", "no place %d" % index)
        value.update({name + "_index": index, name + "_size": len(level)})
        path = path_of(leaf_hashes(level), index) + path
    return {**value, "path": path}, len(path)

def paper_verify(record, places, window):
    root = climb_all(paper_leaf(record), places)
    need(root, "shape", "sizes, indices and path do not fit each other")
    need(root == window, "root", "leads to another window")

def minutes(started_at, minute, window, blocks):
    made, frozen, start = [], [], 0
    for groups, last in cut(started_at, minute, window, [(int(b["timestamp"]), b["has_items"]) for b in blocks]):
        made += groups
        if last:
            frozen, start = frozen + [list(range(start, len(made)))], len(made)
    return made, frozen

KINDS = {"booked": BLOCK, "audited": AUDIT, "answered": SERVICE, "re-encrypted": SERVICE, "wrong-block": FRAUD, "cheated": FRAUD,
         "missed": MISS, "wrong-audit": FRAUD}

def points(institutions, events):
    credit = {i["institution"]: START * i["rating"] for i in institutions}
    for event in events:
        credit[event["institution"]] = paid(credit[event["institution"]], KINDS[event["kind"]])
    return [{"institution": i, "points": str(number)} for i, number in sorted(credit.items())]

def replaced(producers, auditors, others, threshold):
    """All changes at once: how many a freeze may make is no sentence of the paper."""
    credit = {i["institution"]: int(i["points"]) for i in producers + auditors + others}
    producers, auditors, others = ([i["institution"] for i in seats] for seats in (producers, auditors, others))
    bad = {i for i in credit if credit[i] < threshold}
    change, guilty = Change(producers, auditors, others, credit, bad), [i for i in producers + auditors if i in bad]
    change.run(sorted(guilty, key=lambda i: (credit[i], i)), len(credit), len(producers), len(auditors))
    return change.producers, change.auditors, change.expelled

# Toy16, as every value has to fit into a request of 1 MiB, and variant KeyPrivate, whose re-encryption key needs no public key beside it.
# A private key is its seed.

def paper_keys(seed):
    return key_gen(SETS[0], seed), seed

def paper_encrypt(public, message, seed):
    return encaps(public, H(seed), message)

def paper_decrypt(private, ciphertext):
    return open_capsule(SETS[0], private, ciphertext)

def paper_offer(reader_seed, owner, coins):
    return make_offer(SETS[0], reader_seed, H(encode("MPUB", owner)), coins, 1)

def paper_rekey(owner_seed, offer, seed):
    return accept(SETS[0], owner_seed, offer, H(seed))

def paper_re_encrypt(rekey, ciphertext, seed):
    return re_encrypt(rekey, None, ciphertext, H(seed))

# ------------------------------------------------------------------------------------------------ table of operations
# A line: operation, function, arguments in the function's order, results; each is name:kind, or name for bytes and for results as they are, and
# with ? it may be absent. A kind is a tag, a type of the schema that only this program reads, or another one of READ.

READINGS = {"AMB-STO-4": "R1", "AMB-STO-12": "R1", "AMB-COM-2": "R1", "AMB-COM-7": "R1", "AMB-PRE-3": "R1"}

READ = {"": raw, "list": lambda texts: list(map(raw, texts)), "u64": int, "json": lambda value: value, "set": set_of,
        "seats": lambda seats: [(seat["institution"], raw(seat["key"])) for seat in seats]}
WRITE = {"u64": str}
for tag in TAGS:
    READ[tag], WRITE[tag] = (lambda text, tag=tag: decode(tag, raw(text))), functools.partial(encode, tag)
for kind in ("public_key", "capsule", "offer", "places", "rekey"):
    READ[kind], WRITE[kind] = (lambda text, kind=kind: parse(kind, raw(text))), TYPES[kind].write

TABLE = """
decode                decode_value      tag:json bytes                                                                   -> bytes digests
merkle.root           tree_of           leaves:list                                                                      -> root
merkle.level          bounded_root      level:json leaves:list                                                           -> root
merkle.path           leaf_path         leaves:list index:json                                                           -> path
merkle.verify         verify_path       level:json leaf index:json size:json path:list root                              ->
ed25519.sign          sign              seed message                                                                     -> key signature
ed25519.verify        verify            key message signature                                                            ->
ed25519.verify_batch  verify_batch      items:json                                                                       ->
envelope.check        check_envelope    chain_id envelope:MENV                                                           -> record_id
certificate.check     check_certificate chain_id seats:seats certificate:MCRT                                            -> signers
evidence.judge        judge             chain_id epoch:json producers:seats auditors:seats evidence:MEVD                 -> institution epoch view:u64 kind
receipt.verify        verify_receipt    receipt:MRCP headers content?                                                    -> record_id epoch anchor_root block
anchor.read           read_anchor       transaction                                                                      -> epoch root
windows               windows           started_at:u64 minute_ms:json window_ms:json blocks:json                         -> blocks
roster                run_roster        producers:json auditors:json founders:json steps:json                            -> steps committees state
access                run_access        owners:json steps:json                                                           -> steps readers
file.seal             seal_file         key nonce salt plaintext                                                         -> file digest
file.open             open_file         key file:MFIL                                                                    -> plaintext
pre.key_gen           key_gen           set:set seed                                                                     -> public_key:MPUB
pre.encaps            seal_key          public_key:MPUB key_id message                                                   -> capsule:MCAP digest
pre.decaps            open_capsule      set:set seed capsule:MCAP                                                        -> message
pre.offer             make_offer        set:set seed owner coins variant:json                                            -> offer:MOFF
pre.accept            accept            set:set seed offer:MOFF grant                                                    -> rekey:MRKY
pre.re_encrypt        re_encrypt        rekey:MRKY reader:MPUB? capsule:MCAP secret                                      -> capsule:MCAP
delivery.sign         sign_delivery     seed grant before:MCAP capsule:MCAP                                              -> delivery:MDLV
delivery.check        check_delivery    proxy grant reader before:MCAP delivery:MDLV                                     ->
paper.rank            first_seats       institutions:json                                                                -> producers auditors
paper.admit           place_of          bytes:u64 private:json                                                           -> place
paper.items           filled_items      records:json                                                                     -> items
paper.window          paper_window      records:json                                                                     -> window data_blocks item_blocks items
paper.prove           paper_prove       records:json at:json                                                             -> proof:places hashes
paper.verify          paper_verify      record:json proof:places window                                                  ->
paper.minutes         minutes           started_at:u64 minute_ms:json window_ms:json blocks:json                         -> data_blocks windows
paper.credit          points            institutions:json events:json                                                    -> credit
paper.replace         replaced          producers:json auditors:json others:json threshold:u64                           -> producers auditors expelled
paper.pre.keys        paper_keys        seed                                                                             -> public:public_key private
paper.pre.encrypt     paper_encrypt     public:public_key message seed                                                   -> ciphertext:capsule
paper.pre.decrypt     paper_decrypt     private ciphertext:capsule                                                       -> message
paper.pre.offer       paper_offer       private public:public_key seed                                                   -> offer:offer
paper.pre.rekey       paper_rekey       private offer:offer seed                                                         -> rekey:rekey
paper.pre.re_encrypt  paper_re_encrypt  rekey:rekey ciphertext:capsule seed                                              -> ciphertext:capsule
"""

def entry(line):
    name, function, fields, results = re.fullmatch(r"(\S+) +(\S+) +(.*?) +-> ?(.*)", line).groups()
    wanted = [field.rstrip("?").partition(":")[::2] + (field.endswith("?"),) for field in fields.split()]
    return name, (globals()[function], wanted, [result.partition(":")[::2] for result in results.split()])

OPERATIONS.update(map(entry, TABLE.strip().split("\n")))

if __name__ == "__main__":
    main()
