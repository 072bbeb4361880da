"""Credit, committees and access: what follows from booked blocks, one after another, whatever agreed on them."""
from collections import Counter

from primitives import key_point
from wire import H, TYPES, counted, decode, need, raw

# ------------------------------------------------------------------------------------------------ credit and committees

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

# ------------------------------------------------------------------------------------------------ access

GRANT_BLOCKS, DISPUTE_BLOCKS, REQUEST_BLOCKS, KEPT_BLOCKS = 5_256_000, 100_800, 432_000, 201_601

class Access:
    """Requests and grants by the id of their record. `until` is the last height at which a grant holds; its revocation brings it forward."""

    def __init__(self, owners):
        self.owners, self.height, self.seats, self.requests, self.grants = owners, 0, {}, {}, {}

    def reach(self, height):
        self.height = height = max(self.height, height)
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
