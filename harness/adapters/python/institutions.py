"""Credit, committees and access: what follows from booked blocks in their order, whatever agreed on them."""
from collections import Counter

from operations import operation
from primitives import key_point
from wire import CHOICES, STRUCTS, H, Reject, decode, identity, need, rejects, write

# ------------------------------------------------------------------------------------ credit and committees

START, BLOCK, AUDIT, SERVICE, MISS, ABSENCE, FRAUD = 500, 100, 1, 10, -200, -200, -200_000
UPPER_END, THRESHOLD = 100_000, -60_000

def ids_of(institutions):
    return [one["institution"] for one in institutions]

def ranked(institutions):
    return ids_of(sorted(institutions, key=lambda i: (-i["rating"], -i["centre"], i["institution"])))

def change_seats(producers, auditors, credit, bad, guilty, changes, sizes):
    """The changes of one freeze, as committees.md has them in order. None is a producer's seat that went."""
    def best(institutions):
        return sorted(institutions - bad, key=lambda i: (-credit[i], i))

    ending, outside = set(auditors), best(set(credit) - {*producers, *auditors})
    producers, auditors, expelled, promoted, seated = producers[:], auditors[:], [], [], []

    def fill(seat):
        """Gives an auditor's seat to the best outside, or lets it go; false where it can do neither."""
        if not outside and len(auditors) <= 4:
            return False
        auditors[seat:seat + 1] = outside[:1]
        seated.extend(outside[:1])
        del outside[:1]
        return True

    def promote():
        """The auditor that moves up; None where nobody can."""
        able = best(ending & set(auditors))
        if not able or not fill(auditors.index(able[0])):
            return None
        promoted.append(able[0])
        return able[0]

    def expel(one):
        if one in auditors:
            return fill(auditors.index(one))
        up = promote()
        if up is None and len(producers) - producers.count(None) == 1:
            return False
        producers[producers.index(one)] = up
        return True

    for one in guilty:
        if len(expelled) < changes and expel(one):
            expelled.append(one)
    changes -= len(expelled)
    while changes and outside and len(auditors) < sizes[1]:
        changes -= fill(len(auditors))
    while changes and outside and len(producers) - producers.count(None) < sizes[0]:
        up = promote()
        if up is None:
            break
        producers, changes = producers + [up], changes - 1
    return dict(expelled=expelled, promoted=promoted, seated=seated, producers=producers, auditors=auditors)

def named(kind, ones):
    """Offences or services by what names them, which are their fields in the schema."""
    return {tuple(one[field] for field in STRUCTS[kind]): one for one in ones}

class Roster:
    """Institutions by id, as `member` in the schema; the open epoch; what offences and services counted."""

    def __init__(self, producers, auditors, founders):
        self.sizes, self.members, self.changes = (producers, auditors), {}, Counter()
        self.epoch, self.offset, self.certificates, self.before = 0, 0, 0, None
        self.counted = {"offence": [], "service": []}
        need(producers >= 1 and auditors >= 4 and len(founders) >= producers + auditors, why="too few seats")
        self.check_joining(founders)
        self.join(founders)
        order = ranked(founders)
        self.producers, self.auditors = order[:producers], order[producers:producers + auditors]

    def check_joining(self, joining):
        everybody = [*self.members.values(), *joining]
        for name in ("institution", "key"):
            need(len({one[name] for one in everybody}) == len(everybody), why="an id or key that is taken")
        need(all(key_point(one["key"]) and one["rating"] <= 100 for one in joining), why="no key or rating")

    def join(self, joining):
        for one in joining:
            self.members[one["institution"]] = {**dict.fromkeys(STRUCTS["member"], 0), **one}
            self.charge(one["institution"], START * one["rating"])

    def charge(self, institution, amount, *counters):
        one = self.members[institution]
        before, one["credit"] = one["credit"], min(one["credit"] + amount, UPPER_END)
        self.changes[institution] += one["credit"] - before
        for name in counters:
            one[name] += 1

    def charged(self):
        """What was charged since the last call."""
        changes, self.changes = sorted(self.changes.items()), Counter()
        return [{"institution": i, "amount": str(amount)} for i, amount in changes if amount]

    def leader(self, view):
        return self.producers[(self.offset + view - 1) % len(self.producers)]

    def check(self, b):
        signers, reported = b.get("certificate", []), b["offences"] + b["services"]
        need(b["view"] > b["parent_view"] and b["producer"] == self.leader(b["view"]))
        need(b["parent_view"] or "certificate" not in b)
        need(signers == [i for i in self.auditors if i in signers])
        need(all(one["institution"] in self.members for one in reported))
        need(all(one["epoch"] in (self.epoch, self.epoch - 1) for one in reported))
        for kind, counted in self.counted.items():
            need(len(named(kind, counted + b[kind + "s"])) == len(counted + b[kind + "s"]))
        self.check_joining(b["joining"])

    def block(self, b):
        self.check(b)
        self.charge(b["producer"], BLOCK if "certificate" in b or b["parent_view"] == 0 else 0, "signed")
        self.miss(b["parent_view"] + 1, b["view"])
        self.certificates += "certificate" in b
        for signer in b.get("certificate", []):
            self.charge(signer, AUDIT, "audited", "audits")
        for one in b["offences"]:
            self.charge(one["institution"], FRAUD, {5: "wrong", 6: "misaudited"}.get(one["kind"], "cheats"))
            self.members[one["institution"]]["barred"] = 1
        for one in b["services"]:
            full = self.members[one["institution"]]["served"] == 10
            self.charge(one["institution"], *(0, "services") if full else (SERVICE, "services", "served"))
        self.join(b["joining"])
        for kind, counted in self.counted.items():
            counted += b[kind + "s"]
        return {"credit": self.charged()}

    def miss(self, first, view):
        """Views may be many, so the turns of each seat are counted, rounded up, and not walked through."""
        for start in range(first, min(view, first + len(self.producers))):
            one, turns = self.members[self.leader(start)], -((start - view) // len(self.producers))
            one["missed"] += turns
            for _ in range(min(turns, 2 - one["misses"])):
                self.charge(one["institution"], MISS, "misses")

    def freeze(self, last_view):
        members, producers, auditors = self.members, self.producers, self.auditors
        for i in auditors:
            if self.certificates >= 10 and members[i]["audits"] * 3 < self.certificates:
                self.charge(i, ABSENCE)
        credit = {i: one["credit"] for i, one in members.items()}
        bad = {i for i in members if members[i]["barred"] or credit[i] < THRESHOLD}
        guilty = sorted(bad & {*producers, *auditors}, key=lambda i: (-members[i]["barred"], credit[i], i))
        limit = min(6, (len(auditors) - 1) // 3)
        change = change_seats(producers, auditors, credit, bad, guilty, limit, self.sizes)
        turn = (self.offset + last_view) % len(producers)
        turn -= change["producers"][:turn].count(None)
        change["producers"] = [i for i in change["producers"] if i is not None]
        self.counted = {kind: [one for one in counted if one["epoch"] >= self.epoch]
                        for kind, counted in self.counted.items()}
        self.before, self.producers, self.auditors = self.seats(), change["producers"], change["auditors"]
        self.epoch, self.offset, self.certificates = self.epoch + 1, turn % len(self.producers), 0
        for one in members.values():
            one.update(misses=0, served=0, audits=0)
        return {"credit": self.charged(), **change}

    def seats(self):
        producers, auditors = ([self.members[i] for i in ids] for ids in (self.producers, self.auditors))
        return dict(epoch=self.epoch, offset=self.offset, producers=producers, auditors=auditors)

    def digests(self):
        """That of the committees, and that of the state."""
        seats, members = self.seats(), [self.members[i] for i in sorted(self.members)]
        counted = {kind + "s": [one for _, one in sorted(named(kind, ones).items())]
                   for kind, ones in self.counted.items()}
        state = dict(producers=self.sizes[0], auditors=self.sizes[1], seats=seats, before=self.before,
                     members=members, certificates=self.certificates, **counted)
        institutions = identity("MINS", {"institutions": members})
        committees = identity("MROS", {"seats": identity("MSEA", seats), "institutions": institutions})
        return committees, H(write("roster", state))

@operation("roster", "steps committees state")
def run_roster(producers, auditors, founders, steps):
    roster, done = Roster(producers, auditors, founders), []
    roster.charged()
    for step in steps:
        try:
            block, freeze = step.get("block"), step.get("freeze")
            done.append(roster.block(block) if block else roster.freeze(freeze["last_view"]))
        except Reject:
            done.append({"refused": True})
    return (done, *roster.digests())

AMOUNTS = {"booked": BLOCK, "audited": AUDIT, "answered": SERVICE, "re-encrypted": SERVICE, "missed": MISS,
           "wrong-block": FRAUD, "cheated": FRAUD, "wrong-audit": FRAUD}

@operation("paper.credit", "credit")
def paper_credit(institutions, events):
    credit = {one["institution"]: START * one["rating"] for one in institutions}
    for event in events:
        changed = credit[event["institution"]] + AMOUNTS[event["kind"]]
        credit[event["institution"]] = min(changed, UPPER_END)
    return [{"institution": i, "points": str(number)} for i, number in sorted(credit.items())]

@operation("paper.replace", "producers auditors expelled")
def paper_replace(producers, auditors, others, threshold: int):
    """All changes at once: how many a freeze may make is no sentence of the paper."""
    credit = {one["institution"]: one["points"] for one in producers + auditors + others}
    producers, auditors, sizes = ids_of(producers), ids_of(auditors), (len(producers), len(auditors))
    bad = {i for i in credit if credit[i] < threshold}
    guilty = sorted(bad & {*producers, *auditors}, key=lambda i: (credit[i], i))
    change = change_seats(producers, auditors, credit, bad, guilty, len(credit), sizes)
    return [i for i in change["producers"] if i is not None], change["auditors"], change["expelled"]

@operation("paper.rank", "producers auditors")
def paper_rank(institutions):
    need(len(institutions) >= 121, why="%d for 121 seats" % len(institutions))
    return ranked(institutions)[:101], ranked(institutions)[101:121]

# -------------------------------------------------------------------------------------------------- access

GRANT_BLOCKS, DISPUTE_BLOCKS, REQUEST_BLOCKS, KEPT_BLOCKS = 5_256_000, 100_800, 432_000, 201_601

class Access:
    """Requests and grants by the id of their record. `until` is the last height at which a grant holds."""

    def __init__(self, owners):
        self.owners, self.height, self.seats, self.requests, self.grants = owners, 0, {}, {}, {}

    def reach(self, height):
        self.height = height = max(self.height, height)
        self.requests = {r: q for r, q in self.requests.items() if height - q["at"] < REQUEST_BLOCKS}
        self.grants = {r: g for r, g in self.grants.items() if height < g["until"] + KEPT_BLOCKS}

    def holds(self, g):
        return not g["revoked"] and self.height <= g["until"]

    def act(self, act, record, signer, b):
        """Lets an act have its effect. A dispute outlives its grant."""
        g, institution, height = self.grants.get(b.get("grant")), self.seats.get(signer), self.height
        need(act in ("request", "grant") or g and (act in ("dispute", "confirm") or self.holds(g)))
        if act == "request":
            need(sum(q["reader"] == signer for q in self.requests.values()) < 256)
            need(all(self.owners.get(r) == b["owner"] for r in b["records"]))
            self.requests[record] = {**b, "reader": signer, "at": height}
        elif act == "grant":
            q, files = self.requests.get(b["request"]), {file["record"] for file in b["files"]}
            need(q and q["owner"] == signer and files <= set(q["records"]))
            need(1 <= b["until"] - height <= GRANT_BLOCKS)
            need(sum(other["owner"] == signer for other in self.grants.values()) < 4096)
            del self.requests[b["request"]]
            self.grants[record] = dict(q, files=files, until=b["until"], revoked=False, bids={}, proxy=None,
                                       delivery={}, delivered=None, disputed=None, found=False)
        elif act == "bid":
            need(institution is not None and institution not in g["bids"] and not g["proxy"])
            need(len(g["bids"]) < 256 and signer not in (g["owner"], g["reader"]))
            g["bids"][institution] = signer
        elif act == "choice":
            bidder = g["bids"].get(b["institution"])
            need(signer == g["owner"] and bidder and not g["proxy"])
            need(self.seats.get(bidder) == b["institution"])
            g["proxy"] = bidder
        elif act == "delivery":
            files = {file["record"]: file["digest"] for file in b["files"]}
            need(signer == g["proxy"] and not g["delivery"] and set(files) == g["files"])
            g["delivery"], g["delivered"] = files, height
        elif act == "revoke":
            need(signer == g["owner"])
            g["until"], g["revoked"] = height, True
        elif act == "dispute":
            need(signer == g["reader"] and g["delivery"].get(b["record"]) == b["delivery"])
            need(g["disputed"] is None and height - g["delivered"] <= DISPUTE_BLOCKS)
            g["disputed"] = height
        else:
            need(signer == g["owner"] and g["disputed"] is not None and not g["found"])
            need(height - g["disputed"] <= DISPUTE_BLOCKS)
            g["found"] = True

    def book(self, record, signer, act):
        """Whether an act has effect."""
        kind, body = decode("MACT", act)
        return not rejects(self.act, CHOICES["MACT"][kind], record, signer, body)

    def readers(self):
        return [dict(grant=record, record=file, reader_key=g["reader_key"])
                for record, g in sorted(self.grants.items()) if self.holds(g) for file in sorted(g["files"])]

@operation("access", "steps readers")
def run_access(owners, steps):
    access, effects = Access({one["record"]: one["owner"] for one in owners}), []
    for step in steps:
        if "reach" in step:
            access.reach(step["reach"])
        elif "seats" in step:
            access.seats = {seat["key"]: seat["institution"] for seat in step["seats"]}
        else:
            effects.append(access.book(*(step["book"][name] for name in ("record", "signer", "act"))))
    return effects, access.readers()
