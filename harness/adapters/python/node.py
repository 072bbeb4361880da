#!/usr/bin/env python3
"""A small MDSM node with a protocol of its own, behind the adapter protocol for networks (harness/PROTOCOL.md, profile `paper`).

It is correct for crash faults, and only for them: nodes may stop and wake up at any point, and messages may be lost, late, repeated or out
of order. One block is agreed on at a time, by Paxos. The ballots of a height are the numbers of turns, the proposer of a ballot is the
producer whose turn it is by its own clock, and the acceptors are the auditors, of whom a majority decides. The first phase carries a draft
of the block, and an auditor that promises also says whether it has checked the draft and holds the content of every record in it. The draft
with the names of a majority that audited it is the block of the second phase; if one was accepted before, that one is. So a final block
says who audited it, and credit, committees and windows follow from final blocks and from nothing else.

Weak by design, and for the harness to find:
- Nothing is signed. An institution that runs twice with one identity, or that lies, breaks agreement: twins propose two blocks in one
  ballot, or accept one block each. No fault is proved, nobody is convicted, and owners are names without keys.
- Stamps are taken on trust: a producer whose clock is days ahead freezes windows early.
- The whole chain stays on the disk of every node, without contents: 4 MiB are enough for some 20,000 blocks. The node that booked a record
  keeps its content until the record is final; the distributed database, where contents live on, is not part of this node. Nor are
  Items, minutes and data blocks: the root of a window is over its blocks.

Sections: values, ledger (what follows from the chain), node (disk, records, turns, agreement), lines.
"""
import base64
import hashlib
import json
import re
import sys
import zlib

# Credit starts from the rating. A producer that misses more than one turn of four loses credit in the long run.
SIGNED, AUDITED, MISSED, THRESHOLD = 2, 1, -6, 0
# Bytes of a content, of all contents that a node has yet to book (beyond, the client asks another one), and records of a block.
CONTENT_MAX, OPEN_MAX, RECORDS_MAX = 256 << 10, 512 << 10, 200
# Bytes of an entry, of blocks in an answer, and on a disk that is packed: at the least and at the most, in between at twice what it was.
ENTRY_MAX, ANSWER_MAX, DISK_MIN, DISK_MAX = 900 << 10, 64 << 10, 1 << 20, 11 << 18

# ------------------------------------------------------------------------------------------------ values
# Blocks, records, messages and entries are JSON. A digest is text in hex, also inside.

def raw(text):
    return base64.b64decode(text[4:], validate=True) if text.startswith("b64:") else bytes.fromhex(text)

def text_of(data):
    return data.hex() if len(data) <= 4096 else "b64:" + base64.b64encode(data).decode()

def encode(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()

def sha256(data):
    return hashlib.sha256(data).hexdigest()

def batches(values):
    """Lists of values as JSON, none much longer than an entry may be."""
    parts, room = [], 0
    for value in map(encode, values):
        if not parts or len(value) > room:
            parts, room = parts + [[]], ENTRY_MAX
        parts[-1].append(value)
        room -= len(value) + 1
    return [b"[" + b",".join(part) + b"]" for part in parts]

def root_of(names):
    """The Merkle root of a window over the names of its blocks: a tree as in RFC 6962."""
    if len(names) == 1:
        return sha256(b"\0" + bytes.fromhex(names[0]))
    half = 1 << (len(names) - 1).bit_length() - 1
    return sha256(b"\1" + bytes.fromhex(root_of(names[:half]) + root_of(names[half:])))

def is_number(value):
    return type(value) is int and -1 << 63 <= value < 1 << 63

def is_flag(value):
    return type(value) is bool

def is_digest(value):
    return type(value) is str and re.fullmatch("[0-9a-f]{64}", value) is not None

def is_content(value):
    try:
        return type(value) is str and 0 < len(base64.b64decode(value, validate=True)) <= CONTENT_MAX
    except ValueError:
        return False

def fits(value, shape):
    """Whether what came from outside has the shape that the code relies on. A list has a shape for all its elements."""
    if type(shape) is dict:
        return type(value) is dict and value.keys() == shape.keys() and all(fits(value[name], shape[name]) for name in shape)
    if type(shape) is list:
        return type(value) is list and all(fits(element, shape[0]) for element in value)
    return shape(value)

RECORD = {"owner": is_digest, "created": is_number, "content": is_content, "booked_by": is_number}
ENTRY = {"content": is_digest, "owner": is_digest, "created": is_number, "booked_by": is_number}
BLOCK = {"height": is_number, "parent": is_digest, "turn": is_number, "producer": is_number, "timestamp": is_number, "anchored": is_number,
         "records": [ENTRY], "auditors": [is_number]}
BALLOT = {"height": is_number, "turn": is_number}

# Who sends it, to whom, and why, stands with the method of Node that receives it.
MESSAGES = {
    "record": {"record": RECORD},
    "prepare": {**BALLOT, "draft": BLOCK},
    "promise": {**BALLOT, "audited": is_flag, "lacks": [is_digest], "accepted": [{"turn": is_number, "block": BLOCK}]},
    "accept": {**BALLOT, "block": BLOCK},
    "accepted": BALLOT,
    "decided": {"blocks": [BLOCK], "top": is_number},
    "ask": {"height": is_number},
}

def message_of(data):
    """The kind and the fields of a message, or None."""
    try:
        message = json.loads(data)
        kind = message.pop("kind")
        return (kind, message) if fits(message, MESSAGES[kind]) else None
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
        return None

# ------------------------------------------------------------------------------------------------ ledger

class Ledger:
    """What follows from the network as it was at the start and from the final blocks. Equal at all nodes that hold equal blocks."""

    def __init__(self, network):
        self.start, self.window_ms = int(network["started_at"]), network["window_ms"]
        ranked = sorted(network["institutions"], key=lambda i: (-i["rating"], -i["centre"], i["institution"]))
        self.rank = [i["institution"] for i in ranked]
        self.producers, self.auditors = list(network["producers"]), list(network["auditors"])
        self.counts = {i["institution"]: {"points": i["rating"], "signed": 0, "missed": 0, "audited": 0} for i in ranked}
        self.blocks, self.name, self.timestamp = [], "0" * 64, self.start
        self.booked = set()  # digests of all contents
        self.turns = {}  # the last turn in which a producer made a block
        self.roots, self.anchored = [], 0  # of frozen windows, and how many of them were handed to Bitcoin
        self.names, self.window_turns, self.judged = [], [], 0  # of the open window; misses are counted up to this turn
        self.mark = self.start + self.window_ms

    def on_duty(self, turn):
        return self.producers[(turn - 1) % len(self.producers)]

    def majority(self):
        return len(self.auditors) // 2 + 1

    def takes_draft(self, block):
        """Whether a block may come next, whoever audits it."""
        contents = [entry["content"] for entry in block["records"]]
        return (block["height"] == len(self.blocks) + 1 and block["parent"] == self.name and block["timestamp"] > self.timestamp
                and block["turn"] > self.turns.get(block["producer"], 0) and block["producer"] == self.on_duty(block["turn"])
                and self.anchored <= block["anchored"] <= len(self.roots)
                and len(set(contents)) == len(contents) <= RECORDS_MAX and self.booked.isdisjoint(contents)
                and all(entry["booked_by"] in self.counts for entry in block["records"]))

    def takes(self, block):
        audited = [seat for seat in sorted(self.auditors) if seat in block["auditors"]]
        return self.takes_draft(block) and audited == block["auditors"] and len(audited) >= self.majority()

    def pay(self, institution, what, points):
        self.counts[institution]["points"] += points
        self.counts[institution][what] += 1

    def add(self, block):
        """Appends a final block; returns what is to be seen of it."""
        self.blocks.append(block)
        self.name, self.timestamp, self.anchored = sha256(encode(block)), block["timestamp"], block["anchored"]
        self.booked.update(entry["content"] for entry in block["records"])
        self.turns[block["producer"]] = block["turn"]
        self.names.append(self.name)
        self.window_turns.append(block["turn"])
        self.pay(block["producer"], "signed", SIGNED)
        for auditor in block["auditors"]:
            self.pay(auditor, "audited", AUDITED)
        records = [{"content": entry["content"], "booked_by": entry["booked_by"]} for entry in block["records"]]
        seen = [{"final": {"height": str(block["height"]), "block": self.name, "producer": block["producer"], "auditors": block["auditors"],
                           "timestamp": str(block["timestamp"]), "records": records}}]
        return seen + [{"frozen": self.freeze()}] if self.timestamp >= self.mark else seen

    def freeze(self):
        """The first block whose stamp reaches the mark is the last of its window, and the last that the committees decide. The next mark is
        the first multiple of the window above it, so that an outage gives one long window and not many empty ones."""
        self.roots.append(root_of(self.names))
        self.count_misses()
        self.replace()
        self.names, self.window_turns = [], []
        self.mark += ((self.timestamp - self.mark) // self.window_ms + 1) * self.window_ms
        credit = [{"institution": i, **self.counts[i], "points": str(self.counts[i]["points"])} for i in sorted(self.counts)]
        return {"window": len(self.roots) - 1, "last": str(len(self.blocks)), "root": self.roots[-1], "credit": credit,
                "producers": list(self.producers), "auditors": list(self.auditors)}

    def count_misses(self):
        """At the freeze, as blocks may come out of the order of their turns where clocks differ. Nobody pays for a round in which nobody
        made a block: then it was the network."""
        for turn in sorted(self.window_turns):
            if turn - self.judged <= len(self.producers):
                for missed in range(self.judged + 1, turn):
                    self.pay(self.on_duty(missed), "missed", MISSED)
            self.judged = max(self.judged, turn)

    def replace(self):
        """COM-7. Only a minority of the auditors changes at once; where nobody can move up the guilty one keeps its seat."""
        points = {i: self.counts[i]["points"] for i in self.counts}
        for _ in range(max(1, (len(self.auditors) - 1) // 3)):
            guilty = [i for i in self.producers if points[i] < THRESHOLD]
            heirs = [i for i in self.auditors if points[i] >= THRESHOLD]
            others = [i for i in self.rank if points[i] >= THRESHOLD and i not in self.producers and i not in self.auditors]
            if not (guilty and heirs and others):
                return
            heir = min(heirs, key=lambda i: (-points[i], i))
            self.producers[self.producers.index(min(guilty, key=lambda i: (points[i], i)))] = heir
            self.auditors[self.auditors.index(heir)] = others[0]

# ------------------------------------------------------------------------------------------------ node

class Proposal:
    """What a producer on duty is about: one ballot of one height."""

    def __init__(self, height, turn, draft, until):
        self.height, self.turn, self.draft, self.until = height, turn, draft, until
        self.promises = {}  # auditor: (whether it audited the draft, what it had accepted before)
        self.block, self.accepted_by = None, []  # of the second phase

class Node:
    """One institution. `step` takes what happened and returns what is wanted, with bytes as bytes."""

    def __init__(self, network, me):
        self.me, self.ledger, self.start = me, Ledger(network), int(network["started_at"])
        self.turn_ms = network["turn_ms"]
        self.pulse_ms = min(2 * network["delay_ms"] + 1, self.turn_ms // 3 + 1)
        self.peers = [i["institution"] for i in network["institutions"] if i["institution"] != me]
        self.open = {}  # digest: record that this node has accepted and that is not final
        self.promised, self.accepted = 0, None  # as an acceptor, at the height that comes next
        self.begun = (0, 0)  # height and turn of the last ballot of its own
        self.disk = self.packed = 0  # bytes on the disk, and how many of them are a checkpoint
        # The rest does not outlive a crash.
        self.pool = {}  # digest: record of anybody's that is not final
        self.resend = {}  # digest of an open record: turn in which it is sent again, turns until the next time
        self.proposal, self.pulsing, self.ask_again, self.moved = None, False, 0, 0

    def step(self, now, start=None, inbox=(), timers=(), requests=()):
        self.now, self.facts, self.seen, self.outbox, self.alarms = now, [], [], {}, []
        full = self.disk > min(max(DISK_MIN, 2 * self.packed), DISK_MAX)
        kept = self.checkpoint() if full else []
        if start is not None:
            self.wake(start)
        for sender, data in inbox:
            message = message_of(data)
            if message and sender in self.ledger.counts:
                getattr(self, "on_" + message[0])(sender, **message[1])
        for timer in timers:
            {"turn": self.on_turn, "pulse": self.on_pulse}[timer]()
        for owner, created, content in requests:
            self.submit(owner, created, content)
        added = self.entries(b"s" if start is None else b"+")
        self.disk += sum(map(len, added))
        return {"replace": full, "append": kept + added, "outbox": [(to, data) for data, to in self.outbox.items() if to],
                "timers": self.alarms, "seen": self.seen}

    def turn(self):
        return (self.now - self.start) // self.turn_ms + 1

    def height(self):
        """Of the block that is to come."""
        return len(self.ledger.blocks) + 1

    def send(self, to, kind, **fields):
        receivers = self.outbox.setdefault(encode({"kind": kind, **fields}), [])
        receivers += [i for i in to if i != self.me and i not in receivers]

    def set_timer(self, name, at):
        self.alarms.append((name, max(1, at - self.now)))

    # -- disk: facts, in order. What a node knows beside the network's start follows from them; each is good without those behind it.

    def note(self, *fact):
        self.facts.append(fact)
        self.learn(*fact)

    def learn(self, kind, *what):
        if kind == "book":
            digest = sha256(base64.b64decode(what[0]["content"]))
            self.open[digest] = what[0]
            self.pool.setdefault(digest, what[0])
            self.seen.append({"accepted": {"content": digest}})
        elif kind == "begin":
            self.begun = what
        elif kind == "promise":
            self.promised, = what
        elif kind == "accept":
            self.promised, self.accepted = what[0], {"turn": what[0], "block": what[1]}
        else:  # final; without a block it is the one that was accepted
            block = what[0] if what else self.accepted["block"]
            self.seen += self.ledger.add(block)
            for entry in block["records"]:
                for table in self.open, self.pool, self.resend:
                    table.pop(entry["content"], None)
            self.promised, self.accepted = 0, None

    def entries(self, first):
        """The facts of a step: one entry, or several if they are long. The first of a step is marked, but when the node wakes up: then it
        belongs to the step before, as what is seen then does."""
        return [(b"+" if index else first) + batch for index, batch in enumerate(batches(self.facts))]

    def checkpoint(self):
        """All that still counts, as facts. The mark of a new step follows, so that a crash in this write takes nothing of it."""
        facts = [("final", block) for block in self.ledger.blocks] + [("book", record) for record in self.open.values()]
        if self.accepted:
            facts.append(("accept", self.accepted["turn"], self.accepted["block"]))
        facts += [("begin", *self.begun), ("promise", self.promised)]
        entries = [b"c" + zlib.compress(batch) for batch in batches(facts)]
        self.disk = self.packed = sum(map(len, entries))
        return entries + [b"s[]"]

    def wake(self, durable):
        """Reads the disk. What the last step let be seen may not have been, and is seen again."""
        for entry in durable:
            kind, body = entry[:1], entry[1:]
            if kind != b"+":
                self.seen = []
            for fact in json.loads(zlib.decompress(body) if kind == b"c" else body):
                self.learn(*fact)
            if kind == b"c":
                self.seen = []
                self.packed += len(entry)
            self.disk += len(entry)
        self.moved = self.turn()
        self.on_turn()

    # -- records

    def submit(self, owner, created, content):
        digest = sha256(content)
        if digest in self.ledger.booked or digest in self.open:
            self.seen.append({"accepted": {"content": digest}})
            return
        held = sum(len(record["content"]) * 3 // 4 for record in self.open.values())
        if not 0 < len(content) <= CONTENT_MAX or held + len(content) > OPEN_MAX:
            return
        text = base64.b64encode(content).decode()
        self.note("book", {"owner": owner.hex(), "created": created, "content": text, "booked_by": self.me})
        self.spread(digest, 2)

    def spread(self, digest, turns):
        self.resend[digest] = self.turn() + turns, turns
        self.send(self.ledger.producers + self.ledger.auditors, "record", record=self.open[digest])

    def on_record(self, sender, record):
        """From the node that booked it, until it is final; or from a producer, to an auditor that lacks it."""
        digest = sha256(base64.b64decode(record["content"]))
        if digest not in self.ledger.booked and record["booked_by"] in self.ledger.counts:
            self.pool.setdefault(digest, record)

    # -- turns

    def on_turn(self):
        turn = self.turn()
        for digest in list(self.open):
            due, turns = self.resend.get(digest, (turn, 1))
            if due <= turn:
                self.spread(digest, min(2 * turns, 8))
        if self.moved + 2 <= turn and self.peers:
            self.send([self.peers[turn % len(self.peers)]], "ask", height=self.height())
        self.propose()
        self.set_timer("turn", self.start + turn * self.turn_ms)

    def propose(self):
        """Begins a ballot, if it is this node's turn and it has made no block in it. A height that others left undecided comes first."""
        turn, height, ledger = self.turn(), self.height(), self.ledger
        if turn < 1 or ledger.on_duty(turn) != self.me or turn <= ledger.turns.get(self.me, 0) or self.begun >= (height, turn):
            return
        records, room = [], OPEN_MAX
        for digest, record in self.pool.items():
            room -= len(record["content"]) * 3 // 4
            if room < 0 or len(records) == RECORDS_MAX:
                break
            records.append({**record, "content": digest})
        for window in range(ledger.anchored, len(ledger.roots)):
            self.seen.append({"anchor": {"window": window, "root": ledger.roots[window]}})
        draft = {"height": height, "parent": ledger.name, "turn": turn, "producer": self.me, "anchored": len(ledger.roots),
                 "timestamp": max(self.now, ledger.timestamp + 1), "records": records, "auditors": []}
        self.note("begin", height, turn)
        self.proposal = Proposal(height, turn, draft, self.now + self.pulse_ms)
        self.send(ledger.auditors, "prepare", height=height, turn=turn, draft=draft)
        if not self.pulsing:
            self.pulsing = True
            self.set_timer("pulse", self.proposal.until)

    def on_pulse(self):
        """Sends again what had no answer, as long as the turn lasts."""
        self.pulsing, proposal = False, self.proposal
        if not proposal or proposal.turn != self.turn():
            return
        if self.now >= proposal.until:
            proposal.until = self.now + self.pulse_ms
            self.press(patient=False)
            ballot = {"height": proposal.height, "turn": proposal.turn}
            if proposal.block:
                self.send([i for i in self.ledger.auditors if i not in proposal.accepted_by], "accept", block=proposal.block, **ballot)
            else:
                unready = [i for i in self.ledger.auditors if not proposal.promises.get(i, (False,))[0]]
                self.send(unready, "prepare", draft=proposal.draft, **ballot)
        self.pulsing = True
        self.set_timer("pulse", proposal.until)

    # -- agreement

    def hears(self, sender, height, turn):
        """Whether an acceptor goes along with a ballot. Where the two are not at one height, one of them learns from the other."""
        if height > self.height():
            self.ask(sender)
        elif height < self.height():
            self.tell([sender], height, 0)
        else:
            return self.me in self.ledger.auditors and sender == self.ledger.on_duty(turn) and turn >= self.promised
        return False

    def on_prepare(self, sender, height, turn, draft):
        """From the producer on duty, to auditors."""
        if not self.hears(sender, height, turn):
            return
        if turn > self.promised:
            self.note("promise", turn)
        lacks = [entry["content"] for entry in draft["records"] if entry["content"] not in self.pool]
        audited = self.ledger.takes_draft(draft) and not lacks
        accepted = [self.accepted] if self.accepted else []
        self.send([sender], "promise", height=height, turn=turn, audited=audited, lacks=lacks, accepted=accepted)

    def on_promise(self, sender, height, turn, audited, lacks, accepted):
        """From an auditor, to the proposer."""
        proposal = self.proposal
        if not proposal or (height, turn) != (proposal.height, proposal.turn) or sender not in self.ledger.auditors:
            return
        for digest in lacks:
            if digest in self.pool:
                self.send([sender], "record", record=self.pool[digest])
        proposal.promises[sender] = audited, accepted
        self.press(patient=True)

    def press(self, patient):
        """Goes on to the second phase as soon as promises allow it; a patient proposer wants all auditors to have audited its draft."""
        proposal, majority = self.proposal, self.ledger.majority()
        if proposal.block or len(proposal.promises) < majority:
            return
        earlier = [vote for _, accepted in proposal.promises.values() for vote in accepted]
        audited = sorted(i for i, (done, _) in proposal.promises.items() if done)
        if earlier:
            proposal.block = max(earlier, key=lambda vote: vote["turn"])["block"]
        elif len(audited) >= (len(self.ledger.auditors) if patient else majority):
            proposal.block = {**proposal.draft, "auditors": audited}
        else:
            return
        proposal.until = self.now + self.pulse_ms
        self.send(self.ledger.auditors, "accept", height=proposal.height, turn=proposal.turn, block=proposal.block)

    def on_accept(self, sender, height, turn, block):
        """From the proposer, to auditors."""
        if not self.hears(sender, height, turn) or not self.ledger.takes(block):
            return
        if self.accepted != {"turn": turn, "block": block}:
            self.note("accept", turn, block)
        self.send([sender], "accepted", height=height, turn=turn)

    def on_accepted(self, sender, height, turn):
        """From an auditor, to the proposer, who learns the decision and spreads it."""
        proposal = self.proposal
        if not proposal or (height, turn) != (proposal.height, proposal.turn) or not proposal.block or sender not in self.ledger.auditors:
            return
        if sender not in proposal.accepted_by:
            proposal.accepted_by.append(sender)
        if len(proposal.accepted_by) >= self.ledger.majority():
            self.conclude([proposal.block])
            self.tell(self.peers, height, 0)

    def conclude(self, blocks):
        """Appends what is final and comes next; returns whether there was any."""
        before = self.height()
        for block in blocks:
            if self.ledger.takes(block):
                self.note("final", *([] if self.accepted and self.accepted["block"] == block else [block]))
        if self.height() > before:
            self.proposal, self.moved = None, self.turn()
            self.propose()
        return self.height() > before

    def tell(self, to, height, size):
        """Sends the final block of a height, and those behind it as long as they fit the size."""
        blocks = []
        for block in self.ledger.blocks[height - 1:height - 1 + RECORDS_MAX]:
            size -= len(encode(block))
            blocks.append(block)
            if size < 0:
                break
        self.send(to, "decided", blocks=blocks, top=len(self.ledger.blocks))

    def on_decided(self, sender, blocks, top):
        """From the proposer, to everybody; or from anybody, to one that is behind."""
        if self.conclude(blocks):
            self.ask_again = self.now
        if self.height() <= top:
            self.ask(sender)

    def ask(self, sender):
        if self.now >= self.ask_again:
            self.ask_again = self.now + 2 * self.pulse_ms
            self.send([sender], "ask", height=self.height())

    def on_ask(self, sender, height):
        """From a node that is behind, or that has not heard of a block for two turns."""
        if 1 <= height < self.height():
            self.tell([sender], height, ANSWER_MAX)

# ------------------------------------------------------------------------------------------------ lines

class Adapter:
    """All nodes of a network, by number."""

    def __init__(self):
        self.network, self.institutions, self.nodes = None, {}, {}

    def answer(self, request):
        verb = request["verb"]
        if verb not in ("hello", "reset", "step", "crash"):
            return {"unsupported": "runs networks, and knows no " + verb}
        return getattr(self, verb)(request)

    def hello(self, request):
        if 1 not in request["protocol"]:
            return {"unsupported": "speaks version 1 only"}
        return {"ok": {"protocol": 1, "name": "mdsm-python-node", "version": "0.1.0", "language": "Python %d.%d" % sys.version_info[:2],
                       "ops": [], "networks": ["paper"]}}

    def reset(self, request):
        self.network, self.nodes = request.get("network"), {}
        if self.network and self.network["profile"] != "paper":
            self.network = None
            return {"unsupported": "profile paper only"}
        self.institutions = {n["node"]: n["institution"] for n in self.network["nodes"]} if self.network else {}
        return {"ok": {}}

    def crash(self, request):
        self.nodes.pop(request["node"], None)
        return {"ok": {}}

    def step(self, request):
        start = request.get("start")
        if start is not None:
            self.nodes[request["node"]] = Node(self.network, self.institutions[request["node"]])
        wanted = self.nodes[request["node"]].step(
            int(request["now"]), None if start is None else [raw(entry) for entry in start["durable"]],
            [(letter["from"], raw(letter["message"])) for letter in request.get("inbox", [])], request.get("timers", []),
            [(raw(s["owner"]), int(s["created"]), raw(s["content"])) for s in (r.get("submit") for r in request.get("requests", [])) if s])
        ok = {"append": list(map(text_of, wanted["append"])), "seen": wanted["seen"],
              "outbox": [{"to": to, "message": text_of(data)} for to, data in wanted["outbox"]],
              "timers": [{"timer": name, "after_ms": after} for name, after in wanted["timers"]]}
        return {"ok": {**({"replace": True} if wanted["replace"] else {}), **{name: value for name, value in ok.items() if value}}}

def main():
    adapter = Adapter()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["verb"] == "bye":
            return
        sys.stdout.write(json.dumps({"id": request["id"], **adapter.answer(request)}, separators=(",", ":")) + "\n")
        sys.stdout.flush()

if __name__ == "__main__":
    main()
