#!/usr/bin/env python3
"""MDSM, layer L1, written from harness/spec and harness/PROTOCOL.md alone: a second implementation, to hold the first one against.

One file, Python 3.9, standard library only; sections in the order of PROTOCOL.md. Every operation is a function of its arguments, and
nothing is kept between requests. A rejection is a `Reject`; any other exception ends the program, which is what the harness then counts.
Not constant in time, and not meant to hold anybody's key.
"""
import base64
import functools
import hashlib
import hmac
import itertools
import json
import operator
import re
import struct
import sys
from collections import Counter, namedtuple

# ------------------------------------------------------------------------------------------------ lines, values, replies

class Reject(Exception):
    """A rejection: one of the classes of PROTOCOL.md, and words for people."""

OPERATIONS = {}

def raw(text):
    return base64.b64decode(text[4:], validate=True) if text.startswith("b64:") else bytes.fromhex(text)

def text_of(data):
    return data.hex() if len(data) <= 4096 else "b64:" + base64.b64encode(data).decode()

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

# ------------------------------------------------------------------------------------------------ codec
# A type is a pair: read(reader, fields before it in its struct) and write(value). A struct is a dict, an enumeration (tag, body).

Type = namedtuple("Type", "read write names", defaults=((),))

class Reader:
    """Bytes to decode, the place reached, and the path of the field that is read there."""

    def __init__(self, data):
        self.data, self.at, self.path = data, 0, []

    def left(self):
        return len(self.data) - self.at

    def fail(self, kind, why):
        raise Reject(kind, "%s at %d: %s" % (".".join(self.path) or "value", self.at, why))

    def take(self, count):
        if count > self.left():
            self.fail("truncated", "%d bytes wanted, %d left" % (count, self.left()))
        self.at += count
        return self.data[self.at - count:self.at]

    def inside(self, name, inner, above):
        self.path.append(str(name))
        value = inner.read(self, above)
        self.path.pop()
        return value

    def count(self, low, high):
        number, = struct.unpack("<I", self.take(4))
        if not low <= number <= high:
            self.fail("bound", "%d is not from %d to %d" % (number, low, high))
        if number > self.left():
            self.fail("truncated", "%d announced, %d bytes left" % (number, self.left()))
        return number

def counted(length):
    return struct.pack("<I", length)

def number(form, low=-2 ** 63, high=2 ** 64, kind="bound"):
    def read(r, above):
        value, = struct.unpack(form, r.take(struct.calcsize(form)))
        return value if low <= value <= high else r.fail(kind, "%d is not from %d to %d" % (value, low, high))
    return Type(read, lambda value: struct.pack(form, value))

def fixed(length):
    return Type(lambda r, above: r.take(length(above) if callable(length) else length), lambda value: value)

def string(low, high, pattern):
    def read(r, above):
        value = r.take(r.count(low, high))
        return value if re.fullmatch(pattern, value) else r.fail("rule", "%r is not of the form %s" % (value[:80], pattern))
    return Type(read, lambda value: counted(len(value)) + value)

def option(inner):
    def read(r, above):
        tag = r.take(1)[0]
        return inner.read(r, above) if tag == 1 else None if tag == 0 else r.fail("variant", "option tag %d" % tag)
    return Type(read, lambda value: b"\0" if value is None else b"\1" + inner.write(value))

def listing(inner, low, high, ascending):
    """A list; where it ascends, a set, or a map by the first field of its elements."""
    def read(r, above):
        values, last = [], None
        for index in range(r.count(low, high)):
            values.append(r.inside(index, inner, above))
            key = next(iter(values[-1].values())) if isinstance(values[-1], dict) else values[-1]
            if ascending and last is not None and key <= last:
                r.fail("order", "key %d does not ascend" % index)
            last = key
        return values
    return Type(read, lambda values: counted(len(values)) + b"".join(map(inner.write, values)))

def choice(variants):
    def read(r, above):
        tag = r.take(1)[0]
        return (tag, variants[tag].read(r, above)) if tag in variants else r.fail("variant", "tag %d" % tag)
    return Type(read, lambda value: bytes([value[0]]) + variants[value[0]].write(value[1]))

def structure(fields, rule):
    def read(r, above):
        value = {}
        for name, inner in fields:
            value[name] = r.inside(name, inner, value)
        broken = rule and rule(value)
        return r.fail(*broken) if broken else value
    return Type(read, lambda value: b"".join(inner.write(value[name]) for name, inner in fields), [name for name, _ in fields])

def type_of(name):
    """A type by its name in the schema."""
    if name in TYPES:
        return TYPES[name]
    if name.isdigit():
        return fixed(int(name))
    if name.endswith("?"):
        return option(type_of(name[:-1]))
    base, bracket, low, high, ascending = re.fullmatch(r"(\w+)([\[({])(-?\d+)\.\.(\d+)[\])}](!?)", name).groups()
    if bracket == "[":
        return listing(type_of(base), int(low), int(high), bool(ascending))
    if base in FORMS:
        return number(FORMS[base], int(low), int(high), "variant" if bracket == "{" else "bound")
    return string(int(low), int(high), {"bytes": rb"(?s:.*)", "text": rb"[ -~]*"}[base])

def load(schema):
    for line in re.sub(r"\n\s+", " ", schema.strip()).split("\n"):
        tag, name, *fields = line.split()
        pairs = [(field.split(":")[0], type_of(field.split(":")[1])) for field in fields]
        is_choice = pairs and pairs[0][0].isdigit()
        TYPES[name] = choice({int(n): t for n, t in pairs}) if is_choice else structure(pairs, RULES.get(name))
        if tag != "-":
            TAGS[tag] = name

def decode(tag, data):
    """A top-level value."""
    r = Reader(data)
    if r.take(4) != tag.encode():
        r.fail("tag", "%s wanted" % tag)
    if r.take(1) != b"\1":
        r.fail("version", "%d" % data[4])
    value = TYPES[TAGS[tag]].read(r, None)
    if r.left():
        r.fail("trailing", "%d bytes follow" % r.left())
    return value

def encode(tag, value):
    return tag.encode() + b"\1" + TYPES[TAGS[tag]].write(value)

# ------------------------------------------------------------------------------------------------ schema
# A line is a tag, or -, then a name, then fields as name:type; numbers in the place of names make an enumeration. Types: a name; a number,
# so many bytes; T? an option; T[a..b] a list, ! where it ascends; N(a..b) a number or length within bounds; N{a..b} one that stands for something.

CHUNK, INLINE_MAX = 65536, 102_400
FORMS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q", "i16": "<h", "i64": "<q"}
TAGS, TYPES = {}, {name: number(form) for name, form in FORMS.items()}

SCHEMA = """
-    nothing
-    code         system:u8{1..4} code:text(1..18)
-    relation     kind:u8{1..4} record:digest
-    cipher       scheme:u8{1..1} key:32
-    extension    key:text(1..32) value:bytes(0..256)
-    metadata     resource_type:resource content_type:media created:i64(0..253402300799999) tz_offset_min:i16(-840..840)?
                  size:u64(1..18446744073709551615) kind:code? category:code? status:u8{1..3} relates_to:relation? format:text(1..96)?
                  language:language? custodian:32? author:32? activity:u8{1..4} security:label[0..3]! consent:digest? encryption:cipher?
                  ext:extension[0..8]!
-    content      0:bytes(1..102400) 1:digest
-    reference    0:digest 1:digest
MREC record       owner:32 metadata:metadata content:content
MENV envelope     owner:32 metadata:metadata content:content owner_signature:64 booked_by:u32
MBKG booking      owner:32 metadata:metadata content:reference owner_signature:64 booked_by:u32
MITM item         records:envelope[1..10]
-    item_header  chain_id:digest height:u64 producer:u32 closed_at:i64 root:digest
MIBL item_block   header:item_header items:digest[1..16384]
MGEN genesis      name:text(0..64) started_at:i64 turn_ms:u32 minute_ms:u32 window_ms:u32 producers:u16 auditors:u16 committees:digest
                  registrar:32
MDBL data_block   epoch:u32 index:u32 roots:digest[1..10]
MWIN window       epoch:u32 roots:digest[0..65536]
MANC anchor       chain_id:digest epoch:u32 window:digest head:digest state:digest next_committees:digest
-    subject      1:digest 2:nothing 3:digest 4:digest
-    vote         epoch:u32 view:u64 subject:subject
MSVT signed_vote  vote:vote signer:u32 signature:64
MCRT certificate  vote:vote signers:bytes(1..128) signatures:signature[1..1024]
MBHD header       chain_id:digest epoch:u32 view:u64 height:u64 parent:digest parent_view:u64 timestamp:i64 producer:u32 payload:digest
-    signed       header:header signature:64
MSUM summary      item_block:item_header? certificate:digest? events:digest
-    item_place   index:u16 size:u16 path:digest[0..14]
-    placed       booking:booking index:u8 size:u8 path:digest[0..8] item:item_place
-    f_parent     parent:header
-    f_certified  summary:summary certificate:certificate
-    f_block      summary:summary
-    f_item       summary:summary item:item_place records:u32 tree:digest
-    f_booking    summary:summary first:placed
-    f_repeated   summary:summary first:placed second:placed
-    fault        1:nothing 2:f_parent 3:f_certified 4:f_block 5:f_item 6:f_booking 7:f_repeated
-    proposals    first:signed second:signed
-    votes        first:signed_vote second:signed_vote
-    bad_block    block:signed fault:fault
-    bad_audit    block:signed fault:fault vote:signed_vote
MEVD evidence     1:proposals 2:votes 3:bad_block 4:bad_audit
MRGN registration institution:u32 key:32 rating:u8 centre:u32 signature:64 approval:64
MSVC service      grant:digest epoch:u32 institution:u32 kind:u8{1..2} client:32 signature:64
-    report       epoch:u32 txid:digest height:u32
MEVS events       evidence:evidence[0..8] registrations:registration[0..16] services:service[0..256] reports:report[0..4]
MPAY payload      item_block:item_block? certificate:certificate? events:events
MBLK block        header:header payload:payload
MPRP proposal     signed:signed payload:payload
MDCN decision     blocks:proposal[1..65536] closing:signed[0..65536] certificate:certificate
-    opened       epoch:u32 parent:digest
MJRN journal      1:opened 2:header 3:vote 4:certificate 5:i64
-    bitcoin      height:u32 transaction:bytes(0..4096) tx_index:u32 branch:digest[0..24]
-    places       item_index:u8 item_size:u8 block_index:u16 block_size:u16 data_index:u8 data_size:u8 window_index:u32 window_size:u32
                  path:digest[0..64]
MRCP receipt      chain_id:digest epoch:u32 booking:booking places:places context:digest bitcoin:bitcoin?
MFIL sealed_file  suite:u8{1..1} chunk_log2:u8(16..16) nonce:19 body:sealed_body
MPUB public_key   set:u8{0..8} rows:w_public
MCAP capsule      set:u8{0..8} hop:u8 key_id:32 owner:digest holder:digest c1:w_c1 c2:w_c2
MOFF offer        set:u8{0..8} variant:u8{0..1} owner:digest reader:digest seed:32 rows:w_rows
MRKY rekey        set:u8{0..8} variant:u8{0..1} grant:digest owner:digest reader:digest seed:32 rows:w_rows
MAPV approval     capsule:digest key:digest signer:32 signature:64
MDLV delivery     grant:digest before:digest capsule:capsule proxy:32 signature:64
MSPO spent        offers:digest[0..1048576]!
MPCL parcel       purpose:u8{1..2} sender:32 receiver:digest encapsulated:bytes(1120..1120) sealed:bytes(16..8388624) signature:64
MPPK parcel_key   key:1216
-    file         record:digest digest:digest
-    a_request    owner:32 reader_key:digest offer:digest records:digest[1..64]!
-    a_grant      request:digest owner_key:digest until:u64 files:file[1..64]!
-    a_bid        grant:digest parcels:digest
-    a_choice     grant:digest institution:u32 rekey:digest parcel:digest
-    a_delivery   grant:digest files:file[1..64]!
-    a_revocation grant:digest
-    a_dispute    grant:digest record:digest delivery:digest
-    a_finding    grant:digest finding:u8{1..2}
MACT act          0:a_request 1:a_grant 2:a_bid 3:a_choice 4:a_delivery 5:a_revocation 6:a_dispute 7:a_finding
-    seat         institution:u32 key:32
-    seats        epoch:u32 offset:u64 producers:seat[0..65535] auditors:seat[0..65535]
-    institution  id:u32 key:32 rating:u8 centre:u32 credit:i64 signed:u64 missed:u64 wrong:u64 audited:u64 misaudited:u64 cheats:u64
                  services:u64 barred:u8 misses:u32 served:u32 audits:u32
-    rated        id:u32 key:32 rating:u8 centre:u32
-    offence      institution:u32 epoch:u32 view:u64 kind:u8
-    counted      epoch:u32 grant:digest
-    roster       producers:u16 auditors:u16 seats:seats before:seats? institutions:institution[0..4294967295] certificates:u32
                  offences:offence[0..4294967295] services:counted[0..4294967295]
-    paper_leaf   owner:bytes(0..4294967295) created:i64 content:digest
-    paper_cipher first:capsule now:capsule owner:public_key
-    paper_rekey  rekey:rekey reader:public_key
"""

def metadata_rule(v):
    length = len(TYPES["metadata"].write(v))
    return ("bound", "metadata of %d bytes" % length) if length > 2048 else None

def reference_rule(v):
    stored, sealed = v["content"][0] == 1, v["metadata"]["encryption"] is not None
    return ("rule", "inline content names no encryption, stored content names one") if stored != sealed else None

def record_rule(v):
    (tag, content), size = v["content"], v["metadata"]["size"]
    if tag == 0 and len(content) != size:
        return "rule", "size %d for content of %d bytes" % (size, len(content))
    return reference_rule(v)

def genesis_rule(v):
    return ("bound", "at least 1 producer and 4 auditors wanted") if v["auditors"] < 4 or v["producers"] < 1 else None

def parcel_key_rule(v):
    """X-Wing's key is one of ML-KEM-768 and one of X25519; of the first, coefficients of 12 bits, two in three bytes."""
    triples = [int.from_bytes(v["key"][i:i + 3], "little") for i in range(0, 1152, 3)]
    return ("rule", "a coefficient is 3,329 or more") if any(t & 4095 > 3328 or t >> 12 > 3328 for t in triples) else None

RULES = {
    "metadata": metadata_rule, "record": record_rule, "envelope": record_rule, "booking": reference_rule, "genesis": genesis_rule,
    "parcel_key": parcel_key_rule,
    "capsule": lambda v: ("bound", "%d hops" % v["hop"]) if v["hop"] > SETS[v["set"]].hops else None}

def read_body(r, above):
    """Chunks and trailer of a sealed file: all that is left, which has to be whole chunks, a last one and a trailer."""
    if r.left() < 17 + 72 or 0 < (r.left() - 72) % (CHUNK + 16) < 17:
        r.fail("truncated", "a last chunk of 17 bytes or more and a trailer of 72 wanted")
    return r.take(r.left())

Set = namedtuple("Set", "number n bits law flood w l d B columns hops")
FRODO640 = (4643, 13363, 20579, 25843, 29227, 31145, 32103, 32525, 32689, 32745, 32762, 32766, 32767)
FRODO976 = (5638, 15915, 23689, 28571, 31116, 32217, 32613, 32731, 32760, 32766, 32767)
FRODO1344 = (9142, 23462, 30338, 32361, 32725, 32765, 32767)
POWERS = (1, 2, 4, 8, 16, 32, 64)
SETS = [Set(0, 16, 16, FRODO1344, (1, 1, 2, 2, 3, 3, 4, 5), 4, 3, 4, 4, 64, 2),                               # Toy16
        Set(1, 704, 16, FRODO640, POWERS + (61,), 4, 3, 4, 1, 256, 2),                                        # S704
        Set(2, 704, 16, FRODO640, POWERS + (61,), 3, 4, 4, 1, 256, 3),                                        # S704x3
        Set(3, 976, 16, FRODO976, POWERS + (71,), 4, 3, 4, 1, 256, 2),                                        # S976
        Set(4, 1344, 16, FRODO1344, POWERS + (6,), 4, 3, 4, 1, 256, 5),                                       # S1344
        Set(5, 1152, 24, FRODO640, POWERS + (114,), 8, 2, 8, 3, 86, 10),                                      # W1152-B3
        Set(6, 1792, 24, FRODO640, POWERS + (152,), 8, 2, 8, 3, 86, 10),                                      # W1792-B3
        Set(7, 1152, 24, None, POWERS + (128, 256, 512, 1024, 2048, 4096, 3795), 8, 3, 0, 3, 86, 3),          # H1152, binomial
        Set(8, 704, 16, FRODO640, POWERS + (61,), 1, 16, 0, 1, 256, 3)]                                       # Bits704

def matrix_type(words):
    return fixed(lambda above: words(SETS[above["set"]], above) * SETS[above["set"]].bits // 8)

TYPES.update(
    digest=fixed(32), signature=fixed(64), label=number("<B", 1, 3, "variant"), sealed_body=Type(read_body, lambda value: value),
    resource=string(1, 64, rb"[A-Z][A-Za-z]*"), language=string(2, 35, rb"[A-Za-z0-9-]*"),
    media=string(3, 127, rb"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+(;[ -~]*)?"),
    w_public=matrix_type(lambda s, above: s.n * s.columns), w_c1=matrix_type(lambda s, above: s.n),
    w_c2=matrix_type(lambda s, above: s.columns), w_rows=matrix_type(lambda s, above: (s.l + above["variant"]) * s.n * s.columns))
load(SCHEMA)

# ------------------------------------------------------------------------------------------------ values and trees

LEAVES = {1: (1, 10), 2: (1, 16_384), 3: (1, 10), 4: (0, 65_536)}

def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def need(condition, kind, why):
    if not condition:
        raise Reject(kind, why)

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
# Ed25519 on points (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. Judged by ZIP-215: any y below 2^255, S below L, times 8.

P, L = 2 ** 255 - 19, 2 ** 252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)
ZERO = (0, 1, 1, 0)

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * D * p[3] % P * q[3], 2 * p[2] * q[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P

def combine(s, p, t, q):
    """s p + t q."""
    both, total = add(p, q), ZERO
    for bit in range(max(s, t).bit_length() - 1, -1, -1):
        total = add(total, total)
        which = (s >> bit & 1) + 2 * (t >> bit & 1)
        total = add(total, (None, p, q, both)[which]) if which else total
    return total

def negative(p):
    return -p[0] % P, p[1], p[2], -p[3] % P

def is_small(p):
    p = combine(8, p, 0, ZERO)
    return p[0] == 0 and p[1] == p[2]

def point_of(data):
    y = (int.from_bytes(data, "little") & 2 ** 255 - 1) % P
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if x * x % P != square:
        return None
    x = -x % P if x & 1 != data[31] >> 7 else x
    return x, y, 1, x * y % P

BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

def bytes_of(p):
    inverse = pow(p[2], P - 2, P)
    return (p[1] * inverse % P | (p[0] * inverse % P & 1) << 255).to_bytes(32, "little")

@functools.lru_cache(4096)
def key_point(key):
    point = point_of(key) if len(key) == 32 else None
    return point if point and not is_small(point) else None

def challenge(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L

def verify(key, message, signature):
    a, r = key_point(key), point_of(signature[:32]) if len(signature) == 64 else None
    need(a, "key", "no point, or of small order: " + key.hex())
    s = int.from_bytes(signature[32:], "little")
    need(r and s < L, "signature", "R is no point, or S not below the order")
    k = challenge(signature[:32], key, message)
    need(is_small(add(combine(s, BASE, k, negative(a)), negative(r))), "signature", "does not hold under " + key.hex())

def holds(key, message, signature):
    try:
        return verify(key, message, signature) or True
    except Reject:
        return False

def sign(seed, message):
    seed = hashlib.sha512(seed).digest()
    secret = int.from_bytes(seed[:32], "little") & (1 << 254) - 8 | 1 << 254
    key, nonce = bytes_of(combine(secret, BASE, 0, ZERO)), challenge(seed[32:], message)
    commitment = bytes_of(combine(nonce, BASE, 0, ZERO))
    s = (nonce + challenge(commitment, key, message) * secret) % L
    return key, commitment + s.to_bytes(32, "little")

def verify_batch(items):
    for item in items:
        verify(raw(item["key"]), raw(item["message"]), raw(item["signature"]))

def check_owner(chain_id, booking):
    verify(booking["owner"], b"MSGR\1" + chain_id + record_id(booking), booking["owner_signature"])
    return record_id(booking)

def check_envelope(chain_id, envelope):
    return check_owner(chain_id, booking_of(envelope))

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

# ------------------------------------------------------------------------------------------------ credit, committees, access

START, BLOCK, AUDIT, SERVICE, MISS, ABSENCE, FRAUD, UPPER_END, THRESHOLD = 500, 100, 1, 10, -200, -200, -200_000, 100_000, -60_000

def ranked(institutions):
    return sorted(institutions, key=lambda i: (-i["rating"], -i["centre"], i["institution"]))

def paid(credit, amount):
    return min(credit + amount, UPPER_END) if amount > 0 else credit + amount

class Change:
    """The changes of seats at one freeze, as committees.md has them in order."""

    def __init__(self, producers, auditors, outside, credit, bad):
        self.producers, self.auditors, self.credit, self.bad = list(producers), list(auditors), credit, bad
        self.places, self.ending = list(range(len(producers))), set(auditors)       # the seats before; None for a new one
        self.outside = self.best(i for i in outside if i not in bad)
        self.expelled, self.promoted, self.seated = [], [], []

    def best(self, institutions):
        return sorted(institutions, key=lambda i: (-self.credit[i], i))

    def fill(self, seat):
        """Gives an auditor's seat to the best outside, or lets it go; false where it can do neither."""
        if self.outside:
            self.seated.append(self.outside.pop(0))
            self.auditors[seat] = self.seated[-1]
        elif len(self.auditors) > 4:
            del self.auditors[seat]
        else:
            return False
        return True

    def promote(self):
        able = self.best(i for i in self.auditors if i in self.ending and i not in self.bad)
        if not able or not self.fill(self.auditors.index(able[0])):
            return None
        self.promoted.append(able[0])
        return able[0]

    def expel(self, one):
        if one in self.auditors:
            done = self.fill(self.auditors.index(one))
        else:
            seat, up = self.producers.index(one), self.promote()
            done = up is not None or len(self.producers) > 1
            if up is not None:
                self.producers[seat] = up
            elif done:
                del self.producers[seat], self.places[seat]
        self.expelled += [one] if done else []
        return done

    def run(self, guilty, changes, producers, auditors):
        for one in guilty:
            changes -= 1 if changes and self.expel(one) else 0
        while changes > 0 and self.outside and len(self.auditors) < auditors:
            self.auditors.append(None)
            changes -= self.fill(len(self.auditors) - 1)
        while changes > 0 and self.outside and len(self.producers) < producers:
            up = self.promote()
            if up is None:
                break
            self.producers, self.places, changes = self.producers + [up], self.places + [None], changes - 1

class Roster:
    """The state of the roster: fields as `roster` in the schema, and the institutions once more by id."""

    def __init__(self, producers, auditors, founders):
        self.by_id = {}
        self.state = dict(producers=producers, auditors=auditors, seats=None, before=None, certificates=0, offences=[], services=[])
        need(producers >= 1 and auditors >= 4 and len(founders) >= producers + auditors, "refused", "too few seats, or founders for them")
        need(self.admits(founders), "refused", "an id or key that is taken or no good, or a rating above 100")
        for founder in founders:
            self.join(founder)
        order = [i["institution"] for i in ranked(founders)]
        self.seat(0, 0, order[:producers], order[producers:producers + auditors])

    def join(self, one):
        self.by_id[one["institution"]] = dict(dict.fromkeys(TYPES["institution"].names, 0), id=one["institution"], key=raw(one["key"]),
                                              rating=one["rating"], centre=one["centre"], credit=START * one["rating"])

    def admits(self, joining):
        keys = [raw(i["key"]) for i in joining]
        ids, taken = [i["institution"] for i in joining], [i["key"] for i in self.by_id.values()]
        return (len(set(ids + list(self.by_id))) == len(ids) + len(self.by_id) and len(set(keys + taken)) == len(keys + taken)
                and all(map(key_point, keys)) and all(i["rating"] <= 100 for i in joining))

    def seat(self, epoch, offset, producers, auditors):
        seats = [[{"institution": i, "key": self.by_id[i]["key"]} for i in ids] for ids in (producers, auditors)]
        self.state["before"] = self.state["seats"]
        self.state["seats"] = {"epoch": epoch, "offset": offset, "producers": seats[0], "auditors": seats[1]}

    def seated(self, which):
        return [seat["institution"] for seat in self.state["seats"][which]]

    def pay(self, changes, institution, amount):
        one = self.by_id[institution]
        changes[institution] += paid(one["credit"], amount) - one["credit"]
        one["credit"] = paid(one["credit"], amount)

    def refuses(self, b, offences, services):
        view, parent, producers, auditors = int(b["view"]), int(b["parent_view"]), self.seated("producers"), self.seated("auditors")
        epochs = (self.state["seats"]["epoch"], self.state["seats"]["epoch"] - 1)
        signers = b.get("certificate", [])
        places = [auditors.index(s) for s in signers if s in auditors]
        return (view <= parent or parent == 0 and "certificate" in b or producers[(self.state["seats"]["offset"] + view - 1) % len(producers)] != b["producer"]
                or len(places) != len(signers) or places != sorted(set(places))
                or any(one["institution"] not in self.by_id or one["epoch"] not in epochs for one in b["offences"] + b["services"])
                or repeats(offences, self.state["offences"]) or repeats(services, self.state["services"]) or not self.admits(b["joining"]))

    def block(self, b):
        offences = [dict(institution=o["institution"], epoch=o["epoch"], view=int(o["view"]), kind=o["kind"]) for o in b["offences"]]
        services = [{"epoch": s["epoch"], "grant": raw(s["grant"])} for s in b["services"]]
        if self.refuses(b, offences, services):
            return {"refused": True}
        changes, view, parent = Counter(), int(b["view"]), int(b["parent_view"])
        self.by_id[b["producer"]]["signed"] += 1
        self.pay(changes, b["producer"], BLOCK if "certificate" in b or parent == 0 else 0)
        self.miss(changes, parent, view)
        self.state["certificates"] += "certificate" in b
        for signer in b.get("certificate", []):
            self.count(signer, "audited", "audits")
            self.pay(changes, signer, AUDIT)
        for o in offences:
            self.count(o["institution"], {5: "wrong", 6: "misaudited"}.get(o["kind"], "cheats"))
            self.by_id[o["institution"]]["barred"] = 1
            self.pay(changes, o["institution"], FRAUD)
        for s in b["services"]:
            self.count(s["institution"], "services")
            if self.by_id[s["institution"]]["served"] < 10:
                self.count(s["institution"], "served")
                self.pay(changes, s["institution"], SERVICE)
        for one in b["joining"]:
            self.join(one)
            changes[one["institution"]] += START * one["rating"]
        self.state["offences"] += offences
        self.state["services"] += services
        return {"credit": listed(changes)}

    def count(self, institution, *names):
        for name in names:
            self.by_id[institution][name] += 1

    def miss(self, changes, parent, view):
        """Views may be many, so each seat's are counted and not walked through."""
        producers, skipped = self.seated("producers"), view - parent - 1
        for place in range(min(skipped, len(producers))):
            one = self.by_id[producers[(self.state["seats"]["offset"] + parent + place) % len(producers)]]
            one["missed"] += (skipped - place + len(producers) - 1) // len(producers)
            for _ in range(min(2 - one["misses"], (skipped - place + len(producers) - 1) // len(producers))):
                one["misses"] += 1
                self.pay(changes, one["id"], MISS)

    def freeze(self, last_view):
        state, by_id, producers, auditors, changes = self.state, self.by_id, self.seated("producers"), self.seated("auditors"), Counter()
        for i in auditors:
            if state["certificates"] >= 10 and by_id[i]["audits"] * 3 < state["certificates"]:
                self.pay(changes, i, ABSENCE)
        bad = {i for i, one in by_id.items() if one["barred"] or one["credit"] < THRESHOLD}
        guilty = sorted(bad & set(producers + auditors), key=lambda i: (-by_id[i]["barred"], by_id[i]["credit"], i))
        outside = set(by_id) - set(producers + auditors)
        change = Change(producers, auditors, outside, {i: one["credit"] for i, one in by_id.items()}, bad)
        change.run(guilty, min(6, (len(auditors) - 1) // 3), state["producers"], state["auditors"])
        turn = (state["seats"]["offset"] + last_view) % len(producers)
        turn -= sum(place not in change.places for place in range(turn))
        ended = state["seats"]["epoch"]
        self.seat(ended + 1, turn % len(change.producers), change.producers, change.auditors)
        for one in by_id.values():
            one.update(misses=0, served=0, audits=0)
        state.update(certificates=0, offences=[o for o in state["offences"] if o["epoch"] >= ended],
                     services=[s for s in state["services"] if s["epoch"] >= ended])
        names = ("expelled", "promoted", "seated", "producers", "auditors")
        return {"credit": listed(changes), **{name: getattr(change, name) for name in names}}

    def digests(self):
        """That of the committees, and that of the state."""
        institutions = [self.by_id[i] for i in sorted(self.by_id)]
        order = {"offences": sorted(self.state["offences"], key=lambda o: (o["institution"], o["epoch"], o["view"], o["kind"])),
                 "services": sorted(self.state["services"], key=lambda s: (s["epoch"], s["grant"]))}
        seats = H(b"MSEA\1", TYPES["seats"].write(self.state["seats"]))
        ratings = H(b"MINS\1", counted(len(institutions)), *map(TYPES["rated"].write, institutions))
        return H(b"MROS\1", seats, ratings), H(TYPES["roster"].write({**self.state, **order, "institutions": institutions}))

def listed(changes):
    return [{"institution": i, "amount": str(amount)} for i, amount in sorted(changes.items()) if amount]

def repeats(new, old):
    return any(one in old or one in new[:index] for index, one in enumerate(new))

def run_roster(producers, auditors, founders, steps):
    roster = Roster(producers, auditors, founders)
    done = [roster.block(s["block"]) if "block" in s else roster.freeze(int(s["freeze"]["last_view"])) for s in steps]
    return (done, *roster.digests())

GRANT_BLOCKS, DISPUTE_BLOCKS, REQUEST_BLOCKS, KEPT_BLOCKS = 5_256_000, 100_800, 432_000, 201_601

class Access:
    """Requests and grants by the id of their record. `until` is the last height at which a grant holds; its revocation brings it forward."""

    def __init__(self, owners):
        self.owners, self.height, self.seats, self.requests, self.grants = owners, 0, {}, {}, {}

    def reach(self, height):
        self.height = height
        self.requests = {r: q for r, q in self.requests.items() if height - q["at"] < REQUEST_BLOCKS}
        self.grants = {r: g for r, g in self.grants.items() if height < g["until"] + KEPT_BLOCKS}

    def open_grant(self, body):
        g = self.grants.get(body["grant"])
        return g if g and not g["revoked"] and self.height <= g["until"] else None

    def request(self, record, signer, b):
        able = sum(q["reader"] == signer for q in self.requests.values()) < 256 and all(self.owners.get(r) == b["owner"] for r in b["records"])
        if able:
            self.requests[record] = {**b, "reader": signer, "at": self.height}
        return able

    def grant(self, record, signer, b):
        q, files = self.requests.get(b["request"]), {f["record"]: f["digest"] for f in b["files"]}
        able = (q and q["owner"] == signer and set(files) <= set(q["records"]) and 1 <= b["until"] - self.height <= GRANT_BLOCKS
                and sum(g["owner"] == signer for g in self.grants.values()) < 4096)
        if able:
            del self.requests[b["request"]]
            self.grants[record] = dict(owner=signer, reader=q["reader"], reader_key=q["reader_key"], files=set(files), until=b["until"],
                                       revoked=False, bids={}, proxy=None, delivery=None, disputed=None, found=False)
        return able

    def bid(self, record, signer, b):
        g, institution = self.open_grant(b), self.seats.get(signer)
        able = (g and institution is not None and not g["proxy"] and institution not in g["bids"] and len(g["bids"]) < 256
                and signer not in (g["owner"], g["reader"]))
        if able:
            g["bids"][institution] = signer
        return able

    def choose(self, record, signer, b):
        g = self.open_grant(b)
        key = g and g["bids"].get(b["institution"])
        able = key and signer == g["owner"] and not g["proxy"] and self.seats.get(key) == b["institution"]
        if able:
            g["proxy"] = key
        return able

    def deliver(self, record, signer, b):
        g, files = self.open_grant(b), {f["record"]: f["digest"] for f in b["files"]}
        able = g and g["proxy"] == signer and not g["delivery"] and set(files) == g["files"]
        if able:
            g["delivery"] = (self.height, files)
        return able

    def revoke(self, record, signer, b):
        g = self.open_grant(b)
        able = g and signer == g["owner"]
        if able:
            g["until"], g["revoked"] = self.height, True
        return able

    def dispute(self, record, signer, b):
        g = self.grants.get(b["grant"])
        able = (g and signer == g["reader"] and g["delivery"] and g["disputed"] is None and self.height - g["delivery"][0] <= DISPUTE_BLOCKS
                and g["delivery"][1].get(b["record"]) == b["delivery"])
        if able:
            g["disputed"] = self.height
        return able

    def confirm(self, record, signer, b):
        g = self.grants.get(b["grant"])
        able = g and signer == g["owner"] and g["disputed"] is not None and not g["found"] and self.height - g["disputed"] <= DISPUTE_BLOCKS
        if able:
            g["found"] = True
        return able

    def book(self, record, signer, act):
        kind, body = decode("MACT", act)
        acts = (self.request, self.grant, self.bid, self.choose, self.deliver, self.revoke, self.dispute, self.confirm)
        return bool(acts[kind](record, signer, body))

    def readers(self):
        held = [(r, g) for r, g in sorted(self.grants.items()) if self.open_grant({"grant": r})]
        return [{"grant": r, "record": file, "reader_key": g["reader_key"]} for r, g in held for file in sorted(g["files"])]

def run_access(owners, steps):
    access, effects = Access({raw(o["record"]): raw(o["owner"]) for o in owners}), []
    for step in steps:
        if "reach" in step:
            access.reach(int(step["reach"]))
        elif "seats" in step:
            access.seats = {raw(s["key"]): s["institution"] for s in step["seats"]}
        else:
            effects.append(access.book(*(raw(step["book"][name]) for name in ("record", "signer", "act"))))
    return effects, access.readers()

# ------------------------------------------------------------------------------------------------ sealed files
# ChaCha20 on all blocks at once: word i of every block in one large number, a lane of 64 bits for each block.

def chacha_rounds(x, mask):
    columns = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
    for a, b, c, d in 10 * (columns + ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))):
        for i, j, k, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            x[i] = x[i] + x[j] & mask
            turned = (x[k] ^ x[i]) << bits
            x[k] = (turned | turned >> 32) & mask
    return x

def words_of(data):
    return list(struct.unpack("<%dI" % (len(data) // 4), data))

def keystream(key, nonce, blocks):
    """XChaCha20, from counter 0: the first 8 words of nonce and key make another key."""
    sigma, low = words_of(b"expand 32-byte k"), 2 ** 32 - 1
    mixed = chacha_rounds(sigma + words_of(key) + words_of(nonce[:16]), low)
    ones = (2 ** (64 * blocks) - 1) // (2 ** 64 - 1)
    words = [word * ones for word in sigma + mixed[:4] + mixed[12:]]
    start = words + [int.from_bytes(struct.pack("<%dQ" % blocks, *range(blocks)), "little"), 0] + [w * ones for w in words_of(nonce[16:])]
    end, out = chacha_rounds(list(start), low * ones), bytearray(64 * blocks)
    for i, (one, other) in enumerate(zip(start, end)):
        lanes = (one + other & low * ones).to_bytes(8 * blocks, "little")
        for j in range(4):
            out[4 * i + j::64] = lanes[j::8]
    return bytes(out)

def poly1305(key, data):
    r, total = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF, 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i:i + 16] + b"\1", "little")) * r % (2 ** 130 - 5)
    return (total + int.from_bytes(key[16:], "little") & 2 ** 128 - 1).to_bytes(16, "little")

def xchacha(key, nonce, data, additional, is_sealed):
    """Data encrypted or decrypted, and the tag over the ciphertext."""
    stream = keystream(key, nonce, (len(data) + 63) // 64 + 1)
    out = (int.from_bytes(data, "little") ^ int.from_bytes(stream[64:64 + len(data)], "little")).to_bytes(len(data), "little")
    parts = (additional, data if is_sealed else out)
    padded = b"".join(part + bytes(-len(part) % 16) for part in parts)
    return out, poly1305(stream[:32], padded + struct.pack("<QQ", *map(len, parts)))

def seal(key, nonce, data, additional):
    return b"".join(xchacha(key, nonce, data, additional, False))

def unseal(key, nonce, data, additional):
    out, tag = xchacha(key, nonce, data[:-16], additional, True)
    need(hmac.compare_digest(tag, data[-16:]), "authentication", "a tag does not hold")
    return out

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
    trailer = unseal(key, nonce_of(prefix, len(chunks), 1), v["body"][-72:], header)
    plain = b"".join(unseal(key, nonce_of(prefix, i, 0), chunk, header) for i, chunk in enumerate(chunks))
    right = struct.pack("<Q", len(plain)) + trailer[8:24] + H(b"MCOM\1", trailer[8:24], plain)
    need(trailer == right, "authentication", "the trailer states another length or commitment")
    return plain

# ------------------------------------------------------------------------------------------------ re-encryption
# AES on all blocks at once: byte i of every block in one string, a plane.

def xtime(byte):
    return byte << 1 ^ (0x11B if byte & 128 else 0)

def make_box():
    powers = [1]
    for _ in range(254):
        powers.append(powers[-1] ^ xtime(powers[-1]))
    inverses = {value: powers[-i % 255] for i, value in enumerate(powers)}
    twice = [inverses.get(byte, 0) * 0x101 for byte in range(256)]
    return bytes((b ^ b >> 4 ^ b >> 5 ^ b >> 6 ^ b >> 7 ^ 0x63) & 255 for b in twice)

BOX, DOUBLE = make_box(), bytes(map(xtime, range(256)))

def round_keys(key):
    words, step, constant = [key[i:i + 4] for i in range(0, len(key), 4)], len(key) // 4, 1
    for i in range(step, 4 * (step + 7)):
        word = words[-1]
        if i % step == 0:
            word = bytes([BOX[word[1]] ^ constant, BOX[word[2]], BOX[word[3]], BOX[word[0]]])
            constant = xtime(constant)
        elif step > 6 and i % step == 4:
            word = word.translate(BOX)
        words.append(bytes(map(operator.xor, words[i - step], word)))
    return b"".join(words)

def number_of(plane):
    return int.from_bytes(plane, "little")

def mixed(planes):
    a, d = list(map(number_of, planes)), [number_of(plane.translate(DOUBLE)) for plane in planes]
    sums = [a[i] ^ a[i + 1] ^ a[i + 2] ^ a[i + 3] for i in (0, 4, 8, 12)]
    return [a[i] ^ sums[i // 4] ^ d[i] ^ d[i // 4 * 4 + (i + 1) % 4] for i in range(16)]

def aes(key, blocks):
    count, keys = len(blocks) // 16, round_keys(key)
    ones, out = number_of(b"\1" * count), bytearray(len(blocks))
    planes = [number_of(blocks[i::16]) ^ ones * keys[i] for i in range(16)]
    for start in range(16, len(keys), 16):
        shifted = [planes[(i + i % 4 * 4) % 16].to_bytes(count, "little").translate(BOX) for i in range(16)]
        planes = list(map(number_of, shifted)) if start + 16 == len(keys) else mixed(shifted)
        planes = [plane ^ ones * keys[start + i] for i, plane in enumerate(planes)]
    for i, plane in enumerate(planes):
        out[i::16] = plane.to_bytes(count, "little")
    return bytes(out)

# A row of words is also one large number with a lane of 64 bits for each word, so that a row times a matrix is one sum of products; a lane
# holds it, since the most rows are 5,376 and the largest words have 24 bits.

def unpacked(s, data):
    size, out = s.bits // 8, bytearray(len(data) * 32 // s.bits)
    for i in range(size):
        out[i::4] = data[i::size]
    return words_of(out)

def packed(s, words):
    size, whole = s.bits // 8, struct.pack("<%dI" % len(words), *words)
    out = bytearray(size * len(words))
    for i in range(size):
        out[i::size] = whole[i::4]
    return bytes(out)

def reduced(s, words):
    return [word % (1 << s.bits) for word in words]

def rows_of(words, columns):
    return [words[i:i + columns] for i in range(0, len(words), columns)]

def lanes(row):
    return int.from_bytes(struct.pack("<%dQ" % len(row), *row), "little")

def times(s, row, matrix, columns):
    """A row times a matrix of rows in lanes."""
    total = sum(map(operator.mul, row, matrix))
    return reduced(s, struct.unpack("<%dQ" % columns, total.to_bytes(8 * columns, "little")))

def plus(s, *rows):
    return reduced(s, map(sum, zip(*rows)))

def uniform(s, tag, seed, rows):
    """Row by row, as they are wanted: all of them are up to 8 million words."""
    key, words = H(tag + b"\1", bytes([s.number]), seed)[:16], 8 if s.bits == 16 else 4
    for start in range(0, rows, 256):
        span = range(start, min(start + 256, rows))
        data = aes(key, b"".join(struct.pack("<IIQ", row, place, 0) for row in span for place in range(s.n // words)))
        found = struct.unpack("<%dH" % (len(data) // 2), data) if words == 8 else [word & 0xFFFFFF for word in words_of(data)]
        yield from rows_of(found, s.n)

def matrix_a(s):
    return uniform(s, b"MLWA", b"", s.n)

def stream(key, number, blocks):
    return aes(key, b"".join(struct.pack("<IIQ", number, counter, 0) for counter in range(blocks)))

@functools.lru_cache(None)
def table_of(law):
    """The draw for each 16 bits."""
    return [(1 - 2 * (r & 1)) * sum(entry < r >> 1 for entry in law[:-1]) for r in range(65536)]

def laws(s, data):
    if s.law:
        return [table_of(s.law)[r] for r in struct.unpack("<%dH" % (len(data) // 2), data)]
    halves = [bin(half).count("1") for half in struct.unpack("<%dQ" % (len(data) // 8), data)]
    return [one - other for one, other in zip(halves[::2], halves[1::2])]

def draw(s, key, number, count):
    return laws(s, stream(key, number, -(-count // 8) if s.law else count))[:count]

def flood(s, key, number, count):
    """Values of a group of 64 blocks do not reach into the next group."""
    each = (512 if s.law else 64) // len(s.flood)
    draws, values = laws(s, stream(key, number, 64 * -(-count // each))), []
    for group in rows_of(draws, 512 if s.law else 64):
        values += [sum(map(operator.mul, s.flood, part)) for part in rows_of(group, len(s.flood))[:each]]
    return values[:count]

def set_of(number):
    need(0 <= number < len(SETS), "bound", "no set %d" % number)
    return SETS[number]

def secret_rows(s, seed):
    key = H(b"MKGN\1", bytes([s.number]), seed)
    return key, rows_of(reduced(s, draw(s, key, 0, s.n * s.columns)), s.columns)

def key_gen(s, seed):
    key, secret = secret_rows(s, seed)
    matrix, noise = list(map(lanes, secret)), rows_of(draw(s, key, 1, s.n * s.columns), s.columns)
    public = [plus(s, r, [-x for x in times(s, a, matrix, s.columns)]) for a, r in zip(matrix_a(s), noise)]
    return {"set": s.number, "rows": b"".join(packed(s, row) for row in public)}

def message_row(s, message):
    bits = int.from_bytes(message, "little")
    return [(bits >> s.B * j & (1 << s.B) - 1) << s.bits - s.B for j in range(s.columns)]

def encaps(public, key_id, message):
    s, name = SETS[public["set"]], H(encode("MPUB", public))
    coins = H(b"MENC\1", bytes([s.number]), name, key_id, message)
    e1, e2, e3 = (reduced(s, draw(s, coins, i, count)) for i, count in enumerate((s.n, s.n, s.columns)))
    c1 = plus(s, times(s, e1, map(lanes, matrix_a(s)), s.n), e2)
    rows = map(lanes, rows_of(unpacked(s, public["rows"]), s.columns))
    c2 = plus(s, times(s, e1, rows, s.columns), e3, message_row(s, message))
    return dict(set=s.number, hop=0, key_id=key_id, owner=name, holder=name, c1=packed(s, c1), c2=packed(s, c2))

def decaps(s, seed, capsule):
    c1, c2 = unpacked(s, capsule["c1"]), unpacked(s, capsule["c2"])
    noisy = plus(s, times(s, c1, map(lanes, secret_rows(s, seed)[1]), s.columns), c2, [1 << s.bits - s.B - 1] * s.columns)
    bits = sum((word >> s.bits - s.B) << s.B * j for j, word in enumerate(noisy))
    return (bits & 2 ** 256 - 1).to_bytes(32, "little")

def digits(s, c1):
    rest, rows = [word + (1 << s.d >> 1) >> s.d for word in c1], []
    for _ in range(s.l):
        low = [(y + (1 << s.w >> 1)) % (1 << s.w) - (1 << s.w >> 1) if s.w > 1 else y & 1 for y in rest]
        rest = [y - digit >> s.w for y, digit in zip(rest, low)]
        rows.append(low)
    return sum(rows, [])

def make_offer(s, seed, owner, coins, variant):
    need(variant in (0, 1), "bound", "no variant %d" % variant)
    name = H(encode("MPUB", key_gen(s, seed)))
    key = H(b"MOFN\1", bytes([s.number, variant]), owner, name, coins)
    x_seed, count = H(b"MOFX\1", key), (s.l + variant) * s.n
    matrix, noise = list(map(lanes, secret_rows(s, seed)[1])), rows_of(draw(s, key, 0, count * s.columns), s.columns)
    rows = (plus(s, e, [-x for x in times(s, x_row, matrix, s.columns)]) for x_row, e in zip(uniform(s, b"MLWX", x_seed, count), noise))
    return dict(set=s.number, variant=variant, owner=owner, reader=H(b"MPSE\1", x_seed) if variant else name, seed=x_seed,
                rows=b"".join(packed(s, row) for row in rows))

def accept(s, seed, offer, grant):
    need(offer["set"] == s.number and offer["owner"] == H(encode("MPUB", key_gen(s, seed))), "refused", "an offer for another key")
    secret, rows = secret_rows(s, seed)[1], rows_of(unpacked(s, offer["rows"]), s.columns)
    for row in range(s.l * s.n):
        rows[row] = plus(s, rows[row], [word << s.d + s.w * (row // s.n) for word in secret[row % s.n]])
    return {**offer, "grant": grant, "rows": b"".join(packed(s, row) for row in rows)}

def re_encrypt(rekey, public, capsule, secret):
    """`public` is the reader's key, which a re-encryption key of variant Public names and does not hold."""
    s, variant = SETS[rekey["set"]], rekey["variant"]
    need(capsule["set"] == s.number and capsule["holder"] == rekey["owner"], "refused", "a capsule under another key")
    need(capsule["hop"] < s.hops, "refused", "no hop left")
    need(capsule["hop"] or capsule["owner"] == capsule["holder"], "refused", "a fresh capsule is under its owner's key")
    need(variant or public and H(encode("MPUB", public)) == rekey["reader"], "refused", "the public key of another reader")
    coins = hmac.new(secret, b"MCOI\1" + H(encode("MRKY", rekey)) + H(encode("MCAP", capsule)) + bytes([capsule["hop"]]), "sha256").digest()
    h1, h2, h3 = (draw(s, coins, i, count) for i, count in enumerate((s.n, s.n, s.columns)))
    left = reduced(s, digits(s, unpacked(s, capsule["c1"])) + h1)
    x_rows = itertools.chain(uniform(s, b"MLWX", rekey["seed"], (s.l + variant) * s.n), () if variant else matrix_a(s))
    right = rows_of(unpacked(s, rekey["rows"] + (b"" if variant else public["rows"])), s.columns)
    c1 = plus(s, times(s, left, map(lanes, x_rows), s.n), h2)
    c2 = plus(s, times(s, left, map(lanes, right), s.columns), h3, flood(s, coins, 3, s.columns), unpacked(s, capsule["c2"]))
    return {**capsule, "hop": capsule["hop"] + 1, "holder": rekey["reader"], "c1": packed(s, c1), "c2": packed(s, c2)}

def seal_key(public, key_id, message):
    return encaps(public, key_id, message), H(H(b"MKEM\1", key_id, message))

def open_capsule(s, seed, capsule):
    need(capsule["set"] == s.number, "authentication", "a capsule of another set")
    message = decaps(s, seed, capsule)
    if capsule["hop"] == 0:         # a later one can be recomputed only by who has the owner's public key and the first capsule
        need(encaps(key_gen(s, seed), capsule["key_id"], message) == capsule, "authentication", "recomputed, it is another one")
    return message

# ------------------------------------------------------------------------------------------------ profile paper

def parse(name, data):
    """What only this program understands: a value without tag and version."""
    r = Reader(data)
    value = TYPES[name].read(r, None)
    return value if not r.left() else r.fail("trailing", "%d bytes follow" % r.left())

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

# Toy16, as every value has to fit into a request of 1 MiB; a re-encryption key of S704 with the reader's key has 1.4 MB. A ciphertext is the
# first capsule, the present one and the owner's key, so that any reader can recompute the first; a private key is its seed.
PAPER_SET = SETS[0]

def paper_keys(seed):
    return key_gen(PAPER_SET, seed), seed

def paper_encrypt(public, message, seed):
    capsule = encaps(public, H(seed), message)
    return {"first": capsule, "now": capsule, "owner": public}

def paper_decrypt(seed, v):
    message = decaps(PAPER_SET, seed, v["now"])
    need(encaps(v["owner"], v["first"]["key_id"], message) == v["first"], "authentication", "recomputed, the capsule is another one")
    return message

def paper_offer(reader_seed, owner, coins):
    return make_offer(PAPER_SET, reader_seed, H(encode("MPUB", owner)), coins, 0)

def paper_rekey(owner_seed, reader, offer, seed):
    return {"rekey": accept(PAPER_SET, owner_seed, offer, H(seed)), "reader": reader}

def paper_re_encrypt(keys, v, seed):
    return {**v, "now": re_encrypt(keys["rekey"], keys["reader"], v["now"], H(seed))}

# ------------------------------------------------------------------------------------------------ table of operations
# A line: operation, function, arguments in the function's order, results; each is name:kind, or name for bytes and for results as they are, and
# with ? it may be absent. A kind is a tag, a type of the schema that only this program reads, or another one of READ.

READINGS = {"AMB-STO-4": "R1", "AMB-STO-12": "R1", "AMB-COM-2": "R1", "AMB-COM-7": "R1", "AMB-PRE-3": "R1"}

READ = {"": raw, "list": lambda texts: list(map(raw, texts)), "u64": int, "json": lambda value: value, "set": set_of,
        "seats": lambda seats: [(seat["institution"], raw(seat["key"])) for seat in seats]}
WRITE = {"u64": str}
for tag in TAGS:
    READ[tag], WRITE[tag] = (lambda text, tag=tag: decode(tag, raw(text))), functools.partial(encode, tag)
for kind in ("public_key", "offer", "places", "paper_cipher", "paper_rekey"):
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
paper.pre.encrypt     paper_encrypt     public:public_key message seed                                                   -> ciphertext:paper_cipher
paper.pre.decrypt     paper_decrypt     private ciphertext:paper_cipher                                                  -> message
paper.pre.offer       paper_offer       private public:public_key seed                                                   -> offer:offer
paper.pre.rekey       paper_rekey       private public:public_key offer:offer seed                                       -> rekey:paper_rekey
paper.pre.re_encrypt  paper_re_encrypt  rekey:paper_rekey ciphertext:paper_cipher seed                                   -> ciphertext:paper_cipher
"""

def entry(line):
    name, function, fields, results = re.fullmatch(r"(\S+) +(\S+) +(.*?) +-> ?(.*)", line).groups()
    wanted = [field.rstrip("?").partition(":")[::2] + (field.endswith("?"),) for field in fields.split()]
    return name, (globals()[function], wanted, [result.partition(":")[::2] for result in results.split()])

OPERATIONS.update(map(entry, TABLE.strip().split("\n")))

if __name__ == "__main__":
    main()
