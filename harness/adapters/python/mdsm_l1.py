#!/usr/bin/env python3
"""MDSM, layer L1, from harness/spec and harness/PROTOCOL.md alone, to hold the first implementation against.

Python 3.9, standard library only; sections in the order of PROTOCOL.md, of which institutions.py and
reencryption.py hold one each. Every operation is a function of its arguments, and nothing is kept between
requests. A rejection is a `Reject`; any other exception ends the program, which is what the harness then
counts. Not constant in time, and not meant to hold anybody's key.
"""
import functools
import operator
import re
import struct

import institutions     # whose operations nothing here calls
from operations import main, operation
from primitives import holds, key_point, seal, sign, unseal
from reencryption import accept, decaps, encaps, key_gen, make_offer, re_encrypt
from wire import CHOICES, CHUNK, INLINE_MAX, TRAILER, H, Reader, Reject, decode, encode, identity, need
from wire import pieces, read, rejects

# ----------------------------------------------------------------------------------------- values and trees

LEVELS = {1: ("item", 1, 10), 2: ("block", 1, 16_384), 3: ("data", 1, 10), 4: ("window", 0, 65_536)}

def need_fit(level, size, kind):
    _, low, high = LEVELS.get(level, ("", 1, 0))
    need(low <= size <= high, kind, "%d leaves at level %d" % (size, level))

def layers(leaves):
    """From the leaves up to the root. An odd last node goes up as it is, which is the shape of RFC 6962."""
    nodes = [H(b"\0", leaf) for leaf in leaves]
    yield nodes
    while len(nodes) > 1:
        nodes = [H(b"\1", *pair) if len(pair) > 1 else pair[0] for pair in pieces(nodes, 2)]
        yield nodes

@operation("merkle.root", "root")
def tree(leaves):
    return list(layers(leaves))[-1][0] if leaves else H()

def level_of(level, size, root):
    return H(b"\2", struct.pack("<BI", level, size), root)

def level_root(level, leaves):
    return level_of(level, len(leaves), tree(leaves))

@operation("merkle.level", "root")
def bounded_root(level, leaves):
    need_fit(level, len(leaves), "bound")
    return level_root(level, leaves)

@operation("merkle.path", "path")
def path_of(leaves, index):
    need(0 <= index < len(leaves), "shape", "no leaf %d" % index)
    beside = [(nodes, index >> height ^ 1) for height, nodes in enumerate(layers(leaves))]
    return [nodes[place] for nodes, place in beside if place < len(nodes)]

def climb(level, leaf, index, size, path):
    """The level root above a leaf, and what it leaves of the path."""
    need(0 <= index < size, "shape", "no leaf %d of %d" % (index, size))
    node, count = H(b"\0", leaf), size
    while count > 1:
        if index ^ 1 < count:
            need(path, "shape", "the path is too short")
            other, *path = path
            node = H(b"\1", other, node) if index & 1 else H(b"\1", node, other)
        index, count = index >> 1, count + 1 >> 1
    return level_of(level, size, node), path

def climb_whole(level, leaf, index, size, path, **_):
    root, rest = climb(level, leaf, index, size, path)
    need(not rest, "shape", "the path is too long")
    return root

@operation("merkle.verify")
def verify_path(level, leaf, index, size, path, root):
    need_fit(level, size, "shape")
    need(climb_whole(level, leaf, index, size, path) == root, "root", "leads elsewhere")

def booking_of(v):
    """The booking of an envelope, or what a record has of one."""
    tag, content = v["content"]
    return {**v, "content": (tag, content if tag else H(content))}

def item_leaves(item):
    return [encode("MBKG", booking_of(v)) for v in item["records"]]

def summary_of(payload):
    block, certificate, events = payload["item_block"], payload["certificate"], payload["events"]
    return dict(item_block=block and block["header"], events=identity("MEVS", events),
                certificate=certificate and identity("MCRT", certificate))

# What `decode` tells beside the id, by tag.
DIGESTS = {
    "MGEN": {"chain_id": lambda v: identity("MGEN", v)},
    "MREC": {"record_id": lambda v: identity("MRID", booking_of(v))},
    "MENV": {"booking_id": lambda v: identity("MBKG", booking_of(v))},
    "MBKG": {"record_id": lambda v: identity("MRID", v), "leaf": lambda v: H(b"\0", encode("MBKG", v))},
    "MITM": {"level_root": lambda v: level_root(1, item_leaves(v))},
    "MIBL": {"level_root": lambda v: level_root(2, v["items"])},
    "MDBL": {"level_root": lambda v: level_root(3, v["roots"])},
    "MWIN": {"level_root": lambda v: level_root(4, v["roots"])},
    "MANC": {"anchor_root": lambda v: identity("MANR", {**v, "context": identity("MCTX", v)})},
    "MBLK": {"hash": lambda v: identity("MBHD", v["header"])},
    "MPRP": {"hash": lambda v: identity("MBHD", v["signed"]["header"])},
    "MPAY": {"commitment": lambda v: identity("MSUM", summary_of(v))},
    "MPUB": {"name": lambda v: identity("MPUB", v)}, "MRKY": {"name": lambda v: identity("MRKY", v)},
    "MPPK": {"name": lambda v: identity("MPPK", v)},
    "MRCM": {"committees": lambda v: identity("MROS", {**v, "seats": identity("MSEA", v)})},
    "MDLV": {"capsule_id": lambda v: identity("MCAP", v["capsule"])}}

@operation("decode", "bytes digests")
def decode_value(tag, bytes):
    value = decode(tag, bytes)
    again = encode(tag, value)
    assert again == bytes, "the codec took bytes that are not the encoding of their value"
    return again, {"id": H(again), **{name: digest(value) for name, digest in DIGESTS.get(tag, {}).items()}}

# ---------------------------------------------------------------------- signatures and what they are under

operation("ed25519.sign", "key signature")(sign)

@operation("ed25519.verify")
def verify(key, message, signature):
    need(key_point(key), "key", "no point, or of small order: " + key.hex())
    need(holds(key, message, signature), "signature", "does not hold under " + key.hex())

@operation("ed25519.verify_batch")
def verify_batch(items):
    for item in items:
        verify(item["key"], item["message"], item["signature"])

def owner_signed(chain_id, booking):
    """Key, message and signature of the owner of a booking."""
    return booking["owner"], b"MSGR\1" + chain_id + identity("MRID", booking), booking["owner_signature"]

@operation("envelope.check", "record_id")
def check_envelope(chain_id, envelope):
    verify(*owner_signed(chain_id, booking_of(envelope)))
    return identity("MRID", booking_of(envelope))

def vote_message(chain_id, vote):
    kind, digest = vote["subject"]
    return encode("MVOT", {**vote, "chain_id": chain_id, "kind": kind, "digest": digest or bytes(32)})

@operation("certificate.check", "signers")
def check_certificate(chain_id, seats, certificate):
    bitmap, vote, signatures = (certificate[name] for name in ("signers", "vote", "signatures"))
    places = [i for i in range(8 * len(bitmap)) if bitmap[i // 8] >> i % 8 & 1]
    need(len(signatures) == len(places), "rule", "%d signatures of %d" % (len(signatures), len(places)))
    need(vote["subject"][0] != 4 or vote["view"] == 0, "rule", "an anchor vote has view 0")
    need(len(bitmap) == (len(seats) + 7) // 8, "outsider", "a bitmap for another electorate")
    need(max(places, default=0) < len(seats), "outsider", "a bit behind the last seat")
    need(len(places) >= len(seats) - (len(seats) - 1) // 3, "quorum", "%d of %d" % (len(places), len(seats)))
    signers, message = [seats[place] for place in places], vote_message(chain_id, vote)
    for seat, signature in zip(signers, signatures):
        need(holds(seat["key"], message, signature), "signature", "that of %d" % seat["institution"])
    return [seat["institution"] for seat in signers]

def signer_of(signed, chain_id, producers, auditors):
    """Institution, epoch and view of a signed header or vote. Whoever signed two blocks of a view, or a wrong
    one, has done so whether it led the view or not."""
    if "header" in signed:
        about, signer, seats = signed["header"], signed["header"]["producer"], producers
        message = b"MPRO\1" + identity("MBHD", about)
    else:
        about, signer, message = signed["vote"], signed["signer"], vote_message(chain_id, signed["vote"])
        seats = producers + auditors if about["subject"][0] == 4 else auditors
    keys = {seat["institution"]: seat["key"] for seat in seats}
    need(signer in keys, "outsider", "%d has no seat" % signer)
    need(holds(keys[signer], message, signed["signature"]), "signature", "that of %d does not hold" % signer)
    return signer, about["epoch"], str(about["view"])

def agree(one, other, *names):
    return all(one[name] == other[name] for name in names)

def booking_at(block, placed):
    """The id of a booking and its place in an Item block, to whose root it has to lead."""
    item = climb_whole(1, encode("MBKG", placed["booking"]), **placed)
    need(climb_whole(2, item, **placed["item"]) == block["root"])
    return identity("MRID", placed["booking"]), (placed["item"]["index"], placed["index"])

def is_faulty(chain_id, auditors, h, tag, f):
    """Whether the block of a header has a fault. Rejects what is shown as its own and is not."""
    fault = CHOICES["fault"][tag]
    if fault == "nothing":
        return h["view"] <= h["parent_view"]
    if fault == "parent":
        parent = f["parent"]
        need(identity("MBHD", parent) == h["parent"])
        view = {h["epoch"]: parent["view"], h["epoch"] - 1: 0}.get(parent["epoch"])
        follows = h["height"] == parent["height"] + 1 and h["timestamp"] > parent["timestamp"]
        return not follows or h["parent_view"] != view
    summary, block = f["summary"], f["summary"]["item_block"]
    need(identity("MSUM", summary) == h["payload"])
    if fault == "certificate":
        need(identity("MCRT", f["certificate"]) == summary["certificate"])
        vote = f["certificate"]["vote"]
        right = vote["epoch"] == h["epoch"] and vote["subject"] in ((1, h["parent"]), (3, h["parent"]))
        right = right and 0 < vote["view"] == h["parent_view"]
        return not right or rejects(check_certificate, chain_id, auditors, f["certificate"])
    need(block)
    if fault == "item_block":
        return not agree(block, h, "chain_id", "height", "producer") or block["closed_at"] > h["timestamp"]
    if fault == "big_item":
        need(climb_whole(2, level_of(1, f["records"], f["tree"]), **f["item"]) == block["root"])
        return not 1 <= f["records"] <= 10
    record, place = booking_at(block, f["first"])
    if fault == "repeated":
        other, elsewhere = booking_at(block, f["second"])
        return record == other and place != elsewhere
    booking = f["first"]["booking"]
    late = booking["metadata"]["created"] > h["timestamp"] + 120_000
    too_large = booking["content"][0] == 0 and booking["metadata"]["size"] > INLINE_MAX
    return late or too_large or not holds(*owner_signed(chain_id, booking))

def kind_of(chain_id, auditors, tag, e):
    """The kind of an offence, E1 to E7; nothing where what is shown is none."""
    if tag == 1:
        one, other = e["first"]["header"], e["second"]["header"]
        return agree(one, other, "chain_id", "epoch", "view", "producer") and one != other and 1
    if tag == 2:
        one, other = sorted((e["first"]["vote"], e["second"]["vote"]), key=lambda vote: vote["subject"][0])
        (subject, digest), (other_subject, other_digest) = one["subject"], other["subject"]
        kind = {(1, 1): 2, (2, 3): 3, (3, 3): 4, (4, 4): 7}.get((subject, other_subject))
        same = agree(one, other, "epoch", "view") and agree(e["first"], e["second"], "signer")
        return same and digest != other_digest and (kind != 7 or one["view"] == 0) and kind
    header = e["block"]["header"]
    for_block = {"epoch": header["epoch"], "view": header["view"], "subject": (1, identity("MBHD", header))}
    shown = tag == 3 or e["vote"]["vote"] == for_block
    return shown and is_faulty(chain_id, auditors, header, *e["fault"]) and tag + 2

@operation("evidence.judge", "institution epoch view kind")
def judge(chain_id, epoch, producers, auditors, evidence):
    tag, e = evidence
    signed = [e[name] for name in ("first", "second", "vote") if name in e] or [e["block"]]
    about = e["first"]["vote"] if tag == 2 else e["first" if tag == 1 else "block"]["header"]
    here = about["epoch"] == epoch and about.get("chain_id", chain_id) == chain_id
    try:
        kind = here and kind_of(chain_id, auditors, tag, e)
    except Reject:
        kind = None
    need(kind, "unproven", "no offence, or of another chain or epoch")
    signers = [signer_of(one, chain_id, producers, auditors) for one in signed]
    return (*signers[0], kind)

# ------------------------------------------------------------------------------------ receipts and freezing

def window_root(leaf, places):
    """The root of the window to which four paths lead, one after another."""
    path = places["path"]
    for level, (name, *_) in LEVELS.items():
        need_fit(level, places[name + "_size"], "shape")
        leaf, path = climb(level, leaf, places[name + "_index"], places[name + "_size"], path)
    need(not path, "shape", "the path is too long")
    return leaf

def hash256(data):
    return H(H(data))

# OP_RETURN and a push, in any of its four forms, of data that opens with MDSM.
PUSHED = re.compile(
    rb"\x6a([\4-\x4b]|\x4c[\4-\xff]|\x4d(?![\0-\3]\0)..|\x4e(?![\0-\3]\0\0\0)....)MDSM", re.DOTALL)

@operation("anchor.read", "epoch root")
def read_anchor(transaction):
    r = Reader(transaction)
    try:
        outputs = read(r, "transaction")["outputs"]
    except Reject as no:
        raise Reject("transaction", no.args[1])
    need(not r.left() and 64 != len(transaction) <= 4096, "transaction", "another length")
    found = [output["script"] for output in outputs if PUSHED.match(output["script"])]
    need(len(found) == 1 and len(found[0]) == 43, "transaction", "not exactly one MDSM output")
    need(found[0][1:7] == b"\x29MDSM\1", "transaction", "an output of another version")
    return int.from_bytes(found[0][7:11], "little"), found[0][11:]

REGTEST = bytes.fromhex("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f")
BITS, TARGET = bytes.fromhex("ffff7f20"), bytes.fromhex("7fffff") + bytes(29)     # the target is big endian

def check_headers(headers):
    """The hashes of headers of regtest, whose difficulty never changes."""
    hashes = [hash256(header) for header in headers]
    is_chain = hashes[:1] == [REGTEST] and all(
        len(header) == 80 and header[4:36] == before and header[72:76] == BITS and own[::-1] <= TARGET
        for before, header, own in zip([bytes(32)] + hashes, headers, hashes))
    need(is_chain, "headers", "no chain of regtest with proof of work")
    return hashes

def branch_root(part):
    node, index = hash256(part["transaction"]), part["tx_index"]
    need(index < 1 << len(part["branch"]), "headers", "an index behind the branch")
    for other in part["branch"]:
        need(not index & 1 or other != node, "headers", "a node right of its own equal")
        node, index = hash256(other + node if index & 1 else node + other), index >> 1
    return node

@operation("receipt.verify", "record_id epoch anchor_root block")
def verify_receipt(receipt, headers, content=None):
    booking, part, headers = receipt["booking"], receipt["bitcoin"], pieces(headers, 80)
    window = window_root(encode("MBKG", booking), receipt["places"])
    need(content is None or H(content) == booking["content"][1], "content", "another digest")
    verify(*owner_signed(receipt["chain_id"], booking))
    need(part, "unanchored", "no Bitcoin part")
    epoch, root = read_anchor(part["transaction"])
    need(epoch == receipt["epoch"], "epoch", "that of the output is %d" % epoch)
    need(root == identity("MANR", {**receipt, "window": window}), "root", "that of the output is another one")
    hashes, height = check_headers(headers), part["height"]
    need(height + 6 <= len(hashes), "headers", "fewer than 6 confirmations")
    need(branch_root(part) == headers[height][36:68], "headers", "the transaction is not in the block")
    return identity("MRID", booking), epoch, root, hashes[height]

def cut(started_at, minute, window, blocks):
    """For each block (timestamp, has Items): the groups of blocks that become data blocks at it, and whether
    it ends an epoch."""
    need(minute > 0 and window > 0 and window % minute == 0 and started_at % window == 0, why="no genesis")
    before, mark, waiting = started_at, (started_at // window + 1) * window, []
    for index, (timestamp, has_items) in enumerate(blocks):
        need(timestamp > before, why="block %d is not later than the one before" % index)
        waiting += [index] if has_items else []
        is_check, last = timestamp // minute != before // minute, timestamp >= mark
        due = len(waiting) if last else len(waiting) // 10 * 10 if is_check else 0
        yield pieces(waiting[:due], 10), last
        before, waiting, mark = timestamp, waiting[due:], (timestamp // window + 1) * window if last else mark

@operation("windows", "blocks")
def windows(started_at, minute_ms, window_ms, blocks):
    given, done, frozen = [block.get("item_block", bytes(32)) for block in blocks], [], []
    roots = [one if len(one) == 32 else level_root(2, decode("MIBL", one)["items"]) for one in given]
    stamps = [(block["timestamp"], "item_block" in block) for block in blocks]
    for groups, last in cut(started_at, minute_ms, window_ms, stamps):
        cuts = [level_root(3, [roots[i] for i in group]) for group in groups]
        frozen += cuts
        done.append({"cut": cuts, **({"frozen": level_root(4, frozen)} if last else {})})
        frozen = [] if last else frozen
    return done

# ------------------------------------------------------------------------------ sealed files and deliveries

def nonce_of(prefix, counter, last):
    return prefix + struct.pack(">IB", counter, last)

def each_part(function, key, header, parts):
    """Chunks and trailer, sealed or opened under nonces that count them; the last is the trailer."""
    nonces = [nonce_of(header[7:], i, i == len(parts) - 1) for i in range(len(parts))]
    return [function(key, nonce, part, header) for nonce, part in zip(nonces, parts)]

def trailer_of(salt, plaintext):
    return struct.pack("<Q", len(plaintext)) + salt + H(b"MCOM\1", salt, plaintext)

@operation("file.seal", "file digest")
def seal_file(key, nonce, salt, plaintext):
    need(plaintext, "bound", "an empty plaintext")
    header = b"MFIL\1\1\x10" + nonce
    parts = pieces(plaintext, CHUNK - 16) + [trailer_of(salt, plaintext)]
    file = header + b"".join(each_part(seal, key, header, parts))
    return file, H(file)

@operation("file.open", "plaintext")
def open_file(key, file):
    header, body = encode("MFIL", {**file, "body": b""}), file["body"]
    *chunks, trailer = each_part(unseal, key, header, pieces(body[:-TRAILER], CHUNK) + [body[-TRAILER:]])
    need(trailer and all(chunks), "authentication", "a tag does not hold")
    plaintext = b"".join(chunks)
    need(trailer == trailer_of(trailer[8:24], plaintext), "authentication", "another length or commitment")
    return plaintext

def delivery_message(delivery):
    return encode("MDLM", {**delivery, "capsule": identity("MCAP", delivery["capsule"])})

@operation("delivery.sign", "delivery")
def sign_delivery(seed, grant, before, capsule):
    delivery = dict(grant=grant, before=identity("MCAP", before), capsule=capsule)
    proxy, signature = sign(seed, delivery_message(delivery))
    return {**delivery, "proxy": proxy, "signature": signature}

@operation("delivery.check")
def check_delivery(proxy, grant, reader, before, delivery):
    after, holding = delivery["capsule"], holds(proxy, delivery_message(delivery), delivery["signature"])
    need(delivery["proxy"] == proxy and holding, "signature", "not the proxy's")
    need(delivery["grant"] == grant and delivery["before"] == identity("MCAP", before), why="another grant")
    hop = {**before, "hop": before["hop"] + 1, "holder": reader, "c1": after["c1"], "c2": after["c2"]}
    need(after == hop, why="another way than one hop to the reader")

# ------------------------------------------------------------------------------------------- profile paper

@operation("paper.admit", "place")
def paper_admit(bytes: int, private):
    need(bytes > 0, "bound", "no content")
    return "item" if bytes <= INLINE_MAX and not private else "database"

@operation("paper.items", "items")
def paper_items(records):
    return [min(10, records - start) for start in range(0, records, 10)]

def paper_leaf(record):
    return encode("PLEA", {**record, "content": H(record["content"])})

def paper_levels(records):
    """The leaves of the four trees: records, Items, Item blocks, data blocks, as they lie in one another."""
    leaves = [[[[paper_leaf(r) for r in item] for item in block] for block in data] for data in records]
    items = [[[level_root(1, item) for item in block] for block in data] for data in leaves]
    blocks = [[level_root(2, block) for block in data] for data in items]
    return leaves, items, blocks, [level_root(3, data) for data in blocks]

@operation("paper.window", "window data_blocks item_blocks items")
def paper_window(records):
    _, items, blocks, data = paper_levels(records)
    return level_root(4, data), data, blocks, items

@operation("paper.prove", "proof hashes")
def paper_prove(records, at):
    proof, path, levels = {}, [], paper_levels(records)
    for depth, level in enumerate((4, 3, 2, 1)):
        leaves, name = functools.reduce(operator.getitem, at[:depth], levels[level - 1]), LEVELS[level][0]
        path = path_of(leaves, at[depth]) + path
        proof.update({name + "_index": at[depth], name + "_size": len(leaves)})
    return {**proof, "path": path}, len(path)

@operation("paper.verify")
def paper_verify(record, proof, window):
    need(window_root(paper_leaf(record), proof) == window, "root", "leads to another window")

@operation("paper.minutes", "data_blocks windows")
def paper_minutes(started_at, minute_ms, window_ms, blocks):
    made, frozen, stamps = [], [[]], [(block["timestamp"], block["has_items"]) for block in blocks]
    for groups, last in cut(started_at, minute_ms, window_ms, stamps):
        frozen[-1] += range(len(made), len(made) + len(groups))
        made += groups
        frozen += [[]] if last else []
    return made, frozen[:-1]

# Toy16, as every value has to fit into a request of 1 MiB, and variant KeyPrivate, whose re-encryption key
# needs no public key beside it. A private key is its seed.
operation("paper.pre.keys", "public private")(lambda seed: (key_gen(0, seed), seed))
operation("paper.pre.encrypt", "ciphertext")(
    lambda public, message, seed: encaps(public, H(seed), message)[0])
operation("paper.pre.decrypt", "message")(lambda private, ciphertext: decaps(0, private, ciphertext))
operation("paper.pre.offer", "offer")(
    lambda private, public, seed: make_offer(0, private, identity("MPUB", public), seed, 1))
operation("paper.pre.rekey", "rekey")(lambda private, public, offer, seed: accept(0, private, offer, H(seed)))
operation("paper.pre.re_encrypt", "ciphertext")(
    lambda rekey, ciphertext, seed: re_encrypt(rekey, ciphertext, H(seed)))

if __name__ == "__main__":
    main()
