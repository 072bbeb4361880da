"""Values and their bytes: the schema of all that has an encoding, the rules of its fields, and one codec."""
import functools
import hashlib
import re
import struct
from collections import namedtuple

class Reject(Exception):
    """A rejection: one of the classes of PROTOCOL.md, and words for people."""

def need(condition, kind="refused", why="against a rule of the chain"):
    if not condition:
        raise Reject(kind, why)

def rejects(function, *args):
    try:
        function(*args)
    except Reject:
        return True
    return False

def H(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def pieces(values, size):
    return [values[i:i + size] for i in range(0, len(values), size)]

# --------------------------------------------------------------------------------------------------- schema
# A line is a name and its fields, field:kind; numbers in the place of fields make an enumeration. Names of
# four capitals are the tags of top-level values. Kinds: a name; a number, so many bytes; K? an option;
# K[a..b] a list, with ! a set, or a map by the first field of its elements; N(a..b) a number or a length
# within bounds; N{a..b} a number that stands for something; <a..b> a list or a length as Bitcoin counts. A
# struct is a dict, an enumeration (tag, body), an option its value or None; bytes and texts are bytes.

STRUCTS, CHOICES = {}, {}

SCHEMA = """
nothing
code      system:u8{1..4} code:text(1..18)
relation  kind:u8{1..4} record:32
cipher    scheme:u8{1..1} key:32
extension key:text(1..32) value:bytes(0..256)
metadata  resource_type:resource(1..64) content_type:media(3..127) created:i64(0..253402300799999)
          tz_offset_min:i16(-840..840)? size:u64(1..18446744073709551615) kind:code? category:code?
          status:u8{1..3} relates_to:relation? format:text(1..96)? language:language(2..35)?
          custodian:32? author:32? activity:u8{1..4} security:u8{1..3}[0..3]! consent:32? encryption:cipher?
          ext:extension[0..8]!
content   0:bytes(1..102400) 1:32
reference 0:32 1:32
MREC owner:32 metadata:metadata content:content
MENV owner:32 metadata:metadata content:content owner_signature:64 booked_by:u32
MBKG owner:32 metadata:metadata content:reference owner_signature:64 booked_by:u32
MRID owner:32 metadata:metadata content:reference
MITM records:MENV[1..10]
items     chain_id:32 height:u64 producer:u32 closed_at:i64 root:32
MIBL header:items items:32[1..16384]
MGEN name:text(0..64) started_at:i64 turn_ms:u32 minute_ms:u32 window_ms:u32 producers:u16(1..65535)
     auditors:u16(4..65535) committees:32 registrar:32
MDBL epoch:u32 index:u32 roots:32[1..10]
MWIN epoch:u32 roots:32[0..65536]
MANC chain_id:32 epoch:u32 window:32 head:32 state:32 next_committees:32
MCTX head:32 state:32 next_committees:32
MANR chain_id:32 epoch:u32 window:32 context:32
subject   1:32 2:nothing 3:32 4:32
vote      epoch:u32 view:u64 subject:subject
MVOT chain_id:32 epoch:u32 view:u64 kind:u8 digest:32
MSVT vote:vote signer:u32 signature:64
MCRT vote:vote signers:bytes(1..128) signatures:64[1..1024]
MBHD chain_id:32 epoch:u32 view:u64 height:u64 parent:32 parent_view:u64 timestamp:i64 producer:u32 payload:32
signed    header:MBHD signature:64
MSUM item_block:items? certificate:32? events:32
item      index:u16 size:u16 path:32[0..14]
placed    booking:MBKG index:u8 size:u8 path:32[0..8] item:item
parent    parent:MBHD
certificate summary:MSUM certificate:MCRT
item_block summary:MSUM
big_item  summary:MSUM item:item records:u32 tree:32
booking   summary:MSUM first:placed
repeated  summary:MSUM first:placed second:placed
fault     1:nothing 2:parent 3:certificate 4:item_block 5:big_item 6:booking 7:repeated
blocks    first:signed second:signed
votes     first:MSVT second:MSVT
bad_block block:signed fault:fault
bad_audit block:signed fault:fault vote:MSVT
MEVD 1:blocks 2:votes 3:bad_block 4:bad_audit
MRGN institution:u32 key:32 rating:u8 centre:u32 signature:64 approval:64
MSVC grant:32 epoch:u32 institution:u32 kind:u8{1..2} client:32 signature:64
report    epoch:u32 txid:32 height:u32
MEVS evidence:MEVD[0..8] registrations:MRGN[0..16] services:MSVC[0..256] reports:report[0..4]
MPAY item_block:MIBL? certificate:MCRT? events:MEVS
MBLK header:MBHD payload:MPAY
MPRP signed:signed payload:MPAY
MDCN blocks:MPRP[1..65536] closing:signed[0..65536] certificate:MCRT
opened    epoch:u32 parent:32
ask       epoch:u32 view:u64
MMSG 1:MPRP 2:MITM 3:MSVT 4:MCRT 5:ask 6:32[1..1024] 7:32 8:u32 9:u64 10:MDCN 11:32 12:MENV[1..1024] 13:MEVD
     14:MRGN 15:MSVC
MJRN 1:opened 2:MBHD 3:vote 4:MCRT 5:i64
bitcoin   height:u32 transaction:bytes(0..4096) tx_index:u32 branch:32[0..24]
input     outpoint:36 script:bytes<0..4096> sequence:4
output    value:8 script:bytes<0..4096>
transaction version:4 inputs:input<1..4096> outputs:output<0..4096> locktime:4
PPLC item_index:u8 item_size:u8 block_index:u16 block_size:u16 data_index:u8 data_size:u8 window_index:u32
     window_size:u32 path:32[0..64]
MRCP chain_id:32 epoch:u32 booking:MBKG places:PPLC context:32 bitcoin:bitcoin?
MFIL suite:u8{1..1} chunk_log2:u8(16..16) nonce:19 body:rest
MPUB set:u8{0..8} rows:key_rows
MCAP set:u8{0..8} hop:u8 key_id:32 owner:32 holder:32 c1:row_n c2:row
MOFF set:u8{0..8} variant:u8{0..1} owner:32 reader:32 seed:32 rows:hop_rows
MRKY set:u8{0..8} variant:u8{0..1} grant:32 owner:32 reader:32 seed:32 rows:hop_rows
MAPV capsule:32 key:32 signer:32 signature:64
MAPS approvals:MAPV[1..64]!
MKYR lattice:32 parcels:32
MDLV grant:32 before:32 capsule:MCAP proxy:32 signature:64
MDLM grant:32 before:32 capsule:32
MSPO offers:32[0..1048576]!
MPCL purpose:u8{1..2} sender:32 receiver:32 encapsulated:bytes(1120..1120) sealed:bytes(16..8388624)
     signature:64
MPPK key:1216
file      record:32 digest:32
request   owner:32 reader_key:32 offer:32 records:32[1..64]!
grant     request:32 owner_key:32 until:u64 files:file[1..64]!
bid       grant:32 parcels:32
choice    grant:32 institution:u32 rekey:32 parcel:32
delivery  grant:32 files:file[1..64]!
revoke    grant:32
dispute   grant:32 record:32 delivery:32
confirm   grant:32 finding:u8{1..2}
MACT 0:request 1:grant 2:bid 3:choice 4:delivery 5:revoke 6:dispute 7:confirm
seat      institution:u32 key:32
MSEA epoch:u32 offset:u64 producers:seat[0..65535] auditors:seat[0..65535]
MRCM epoch:u32 offset:u64 producers:seat[1..1023] auditors:seat[1..1023] institutions:32
rated     institution:u32 key:32 rating:u8 centre:u32
MINS institutions:rated[0..4294967295]
MROS seats:32 institutions:32
member    institution:u32 key:32 rating:u8 centre:u32 credit:i64 signed:u64 missed:u64 wrong:u64 audited:u64
          misaudited:u64 cheats:u64 services:u64 barred:u8 misses:u32 served:u32 audits:u32
offence   institution:u32 epoch:u32 view:u64 kind:u8
service   epoch:u32 grant:32
roster    producers:u16 auditors:u16 seats:MSEA before:MSEA? members:member[0..4294967295] certificates:u32
          offences:offence[0..4294967295] services:service[0..4294967295]
PLEA owner:bytes(0..4294967295) created:i64 content:32
"""

FORMS = {"u8": "<B", "u16": "<H", "u32": "<I", "u64": "<Q", "i16": "<h", "i64": "<q"}
PATTERNS = {"bytes": rb"(?s:.*)", "text": rb"[ -~]*", "resource": rb"[A-Z][A-Za-z]*",
            "language": rb"[A-Za-z0-9-]*", "media": rb"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+(;[ -~]*)?"}

# Parameter sets of re-encryption; a law is a table of FrodoKEM, or None for the binomial one.
Set = namedtuple("Set", "number n bits law flood w l d B columns hops")
FRODO640 = (4643, 13363, 20579, 25843, 29227, 31145, 32103, 32525, 32689, 32745, 32762, 32766, 32767)
FRODO976 = (5638, 15915, 23689, 28571, 31116, 32217, 32613, 32731, 32760, 32766, 32767)
FRODO1344 = (9142, 23462, 30338, 32361, 32725, 32765, 32767)
POWERS = (1, 2, 4, 8, 16, 32, 64)
SETS = [
    Set(0, 16, 16, FRODO1344, (1, 1, 2, 2, 3, 3, 4, 5), 4, 3, 4, 4, 64, 2),  # Toy16
    Set(1, 704, 16, FRODO640, (*POWERS, 61), 4, 3, 4, 1, 256, 2),  # S704
    Set(2, 704, 16, FRODO640, (*POWERS, 61), 3, 4, 4, 1, 256, 3),  # S704x3
    Set(3, 976, 16, FRODO976, (*POWERS, 71), 4, 3, 4, 1, 256, 2),  # S976
    Set(4, 1344, 16, FRODO1344, (*POWERS, 6), 4, 3, 4, 1, 256, 5),  # S1344
    Set(5, 1152, 24, FRODO640, (*POWERS, 114), 8, 2, 8, 3, 86, 10),  # W1152-B3
    Set(6, 1792, 24, FRODO640, (*POWERS, 152), 8, 2, 8, 3, 86, 10),  # W1792-B3
    Set(7, 1152, 24, None, (*POWERS, 128, 256, 512, 1024, 2048, 4096, 3795), 8, 3, 0, 3, 86, 3),  # H1152
    Set(8, 704, 16, FRODO640, (*POWERS, 61), 1, 16, 0, 1, 256, 3)]  # Bits704

def words(count):
    """The length of so many words of the set that an earlier field names."""
    return lambda r, above: count(SETS[above["set"]], above) * SETS[above["set"]].bits // 8

LENGTHS = {
    "rest": lambda r, above: r.left(), "row_n": words(lambda s, above: s.n),
    "row": words(lambda s, above: s.columns), "key_rows": words(lambda s, above: s.n * s.columns),
    "hop_rows": words(lambda s, above: (s.l + above["variant"]) * s.n * s.columns)}
CHUNK, TRAILER, INLINE_MAX = 65536 + 16, 72, 102_400

def reference_rule(v, need):
    is_stored, is_encrypted = v["content"][0] == 1, v["metadata"]["encryption"] is not None
    need(is_stored == is_encrypted, "rule", "stored content names an encryption, inline content none")

def record_rule(v, need):
    (tag, content), size = v["content"], v["metadata"]["size"]
    need(tag == 1 or len(content) == size, "rule", "size %d is not that of the content" % size)
    reference_rule(v, need)

def parcel_key_rule(v, need):
    """X-Wing's key begins with one of ML-KEM-768: coefficients of 12 bits, two in three bytes."""
    triples = [int.from_bytes(v["key"][i:i + 3], "little") for i in range(0, 1152, 3)]
    need(all(t & 4095 < 3329 and t >> 12 < 3329 for t in triples), "rule", "a coefficient is 3,329 or more")

def file_rule(v, need):
    """Whole chunks, a last one, which has 1 byte of plaintext at least, and the trailer."""
    chunks = len(v["body"]) - TRAILER
    need(chunks >= 17 and not 0 < chunks % CHUNK < 17, "truncated", "a last chunk and a trailer wanted")

RULES = {
    "MREC": record_rule, "MENV": record_rule, "MBKG": reference_rule,
    "MPPK": parcel_key_rule, "MFIL": file_rule,
    "metadata": lambda v, need: need(len(write("metadata", v)) <= 2048, "bound", "more than 2,048 bytes"),
    "MRCM": lambda v, need: need(len(v["producers"] + v["auditors"]) <= 1024, "bound", "over 1,024 seats"),
    "MCAP": lambda v, need: need(v["hop"] <= SETS[v["set"]].hops, "bound", "%d hops" % v["hop"])}

for line in re.sub(r"\n +", " ", SCHEMA.strip()).split("\n"):
    type_name, *pairs = line.split()
    fields = dict(pair.split(":") for pair in pairs)
    if "".join(fields).isdigit():
        CHOICES[type_name] = {int(number): kind for number, kind in fields.items()}
    else:
        STRUCTS[type_name] = fields

# --------------------------------------------------------------------------------------------------- codec

class Reader:
    """Bytes to decode, the place reached, and the path of the field that is read there."""

    def __init__(self, data):
        self.data, self.at, self.path = data, 0, []

    def need(self, condition, kind, why):
        need(condition, kind, "%s at %d: %s" % (".".join(self.path), self.at, why))

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        self.need(count <= self.left(), "truncated", "%d bytes wanted, %d left" % (count, self.left()))
        self.at += count
        return self.data[self.at - count:self.at]

    def count(self, low, high, is_bitcoin):
        """How many elements follow: in 4 bytes, or as Bitcoin has it, in as few bytes as the number needs."""
        first = self.take(1)[0] if is_bitcoin else 254
        number = int.from_bytes(self.take(1 << first - 252), "little") if first > 252 else first
        least = {253: 253, 254: 1 << 16, 255: 1 << 32}.get(first, 0) if is_bitcoin else 0
        self.need(max(low, least) <= number <= high, "bound", "%d is not from %d to %d" % (number, low, high))
        self.need(number <= self.left(), "truncated", "%d wanted, %d bytes left" % (number, self.left()))
        return number

@functools.lru_cache(None)
def parts_of(kind):
    """What the schema writes of a kind: base, bracket, bounds, and whether elements ascend."""
    pattern = r"(.+?)(?:([\[<({])(-?\d+)\.\.(\d+)[\]>)}](!?))?"
    base, bracket, low, high, ascending = re.fullmatch(pattern, kind).groups()
    return base, bracket, int(low or 0), int(high or 0), ascending

def read(r, kind, above=None):
    """A value of a kind; `above` are the fields before it in its struct."""
    if kind in STRUCTS:
        value = {}
        for name, inner in STRUCTS[kind].items():
            r.path.append(name)
            value[name] = read(r, inner, value)
            r.path.pop()
        if kind in RULES:
            RULES[kind](value, r.need)
        return value
    if kind in CHOICES or kind.endswith("?"):
        variants, (tag,) = CHOICES.get(kind, {0: "nothing", 1: kind[:-1]}), r.take(1)
        r.need(tag in variants, "variant", "tag %d" % tag)
        body = read(r, variants[tag])
        return (tag, body) if kind in CHOICES else body if tag else None
    base, bracket, low, high, ascending = parts_of(kind)
    if base in PATTERNS:
        value = r.take(r.count(low, high, bracket == "<"))
        r.need(re.fullmatch(PATTERNS[base], value), "rule", "%r" % value[:80])
        return value
    if bracket in ("[", "<"):
        values = [read(r, base) for _ in range(r.count(low, high, bracket == "<"))]
        keys = [next(iter(value.values())) if isinstance(value, dict) else value for value in values]
        r.need(not ascending or keys == sorted(set(keys)), "order", "keys do not strictly ascend")
        return values
    if base in FORMS:
        value, = struct.unpack(FORMS[base], r.take(struct.calcsize(FORMS[base])))
        r.need(not bracket or low <= value <= high, "variant" if bracket == "{" else "bound", "%d" % value)
        return value
    return r.take(LENGTHS[base](r, above) if base in LENGTHS else int(base))

def write(kind, value):
    if kind in STRUCTS:
        return b"".join(write(inner, value[name]) for name, inner in STRUCTS[kind].items())
    if kind in CHOICES:
        return bytes([value[0]]) + write(CHOICES[kind][value[0]], value[1])
    if kind.endswith("?"):
        return b"\0" if value is None else b"\1" + write(kind[:-1], value)
    base, bracket, *_ = parts_of(kind)
    if base in FORMS:
        return struct.pack(FORMS[base], value)
    body = b"".join(write(base, one) for one in value) if bracket == "[" else value
    return struct.pack("<I", len(value)) + body if bracket else body

def decode(tag, data):
    """A top-level value."""
    r = Reader(data)
    r.need(r.take(4) == tag.encode(), "tag", tag + " wanted")
    r.need(r.take(1) == b"\1", "version", "1 wanted")
    value = read(r, tag)
    r.need(not r.left(), "trailing", "%d bytes follow" % r.left())
    return value

def encode(tag, value):
    return tag.encode() + b"\1" + write(tag, value)

def identity(tag, value):
    return H(encode(tag, value))
