"""Values and their bytes: the codec of harness/spec and the schema of everything that has one, its rules of fields, and rejections."""
import base64
import hashlib
import re
import struct
from collections import namedtuple

class Reject(Exception):
    """A rejection: one of the classes of PROTOCOL.md, and words for people."""

def need(condition, kind, why):
    if not condition:
        raise Reject(kind, why)

def raw(text):
    return base64.b64decode(text[4:], validate=True) if text.startswith("b64:") else bytes.fromhex(text)

def text_of(data):
    return data.hex() if len(data) <= 4096 else "b64:" + base64.b64encode(data).decode()

def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

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

def parse(name, data):
    """A value without tag and version, as only this program reads it."""
    r = Reader(data)
    value = TYPES[name].read(r, None)
    return value if not r.left() else r.fail("trailing", "%d bytes follow" % r.left())

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
-    ask          epoch:u32 view:u64
MMSG message      1:proposal 2:item 3:signed_vote 4:certificate 5:ask 6:digest[1..1024] 7:digest 8:u32 9:u64 10:decision 11:digest
                  12:envelope[1..1024] 13:evidence 14:registration 15:service
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
MAPS approvals    approvals:approval[1..64]!
MKYR key_record   lattice:digest parcels:digest
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
MRCM seating      epoch:u32 offset:u64 producers:seat[1..1024] auditors:seat[1..1024] institutions:digest
-    institution  id:u32 key:32 rating:u8 centre:u32 credit:i64 signed:u64 missed:u64 wrong:u64 audited:u64 misaudited:u64 cheats:u64
                  services:u64 barred:u8 misses:u32 served:u32 audits:u32
-    rated        id:u32 key:32 rating:u8 centre:u32
-    offence      institution:u32 epoch:u32 view:u64 kind:u8
-    counted      epoch:u32 grant:digest
-    roster       producers:u16 auditors:u16 seats:seats before:seats? institutions:institution[0..4294967295] certificates:u32
                  offences:offence[0..4294967295] services:counted[0..4294967295]
-    paper_leaf   owner:bytes(0..4294967295) created:i64 content:digest
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
    "seating": lambda v: ("bound", "more than 1,024 seats") if len(v["producers"]) + len(v["auditors"]) > 1024 else None,
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
