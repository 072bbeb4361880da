"""Tests of the Python node: a small simulator with faults, twins that have to break it, and the line protocol. Run: python3 -m unittest

More seeds, or one: SEEDS=1000 python3 -m unittest test_node, SEEDS=17-17 python3 -m unittest test_node"""
import hashlib
import heapq
import json
import os
import pathlib
import random
import subprocess
import sys
import unittest
from collections import Counter, defaultdict

import node as m

HERE = pathlib.Path(__file__).resolve().parent
START, TURN, DELAY = 1_700_000_000_000, 1000, 60


def network(producers=4, auditors=4, others=2, turn=TURN):
    ids = list(range(1, producers + auditors + others + 1))
    return {"profile": "paper", "started_at": str(START), "turn_ms": turn, "minute_ms": 2 * turn, "window_ms": 8 * turn, "delay_ms": DELAY,
            "institutions": [{"institution": i, "rating": 60 - i, "centre": i} for i in ids],
            "producers": ids[:producers], "auditors": ids[producers:producers + auditors],
            "nodes": [{"node": i, "institution": i} for i in ids]}


def digest_of(content):
    return hashlib.sha256(content).hexdigest()


class Machine:
    """A node, its disk and its clock. The clock may be off and run wrong."""

    def __init__(self, number, institution):
        self.number, self.institution, self.disk, self.node, self.life, self.silent = number, institution, [], None, 0, False
        self.offset, self.rate, self.last = 0, 1.0, 0

    def clock(self, now):
        self.last = max(self.last, int(START + self.offset + (now - START) * self.rate))
        return self.last


class World:
    """The simulator: time, links, disks, and faults until it is mended. It judges whatever is seen, at once."""

    def __init__(self, seed, shape, faulty=True, twins=()):
        self.random, self.network, self.faulty, self.now = random.Random(seed), shape, faulty, START - TURN // 2
        places = shape["nodes"] + [{"node": 100 + i, "institution": i} for i in twins]
        self.machines = {n["node"]: Machine(n["node"], n["institution"]) for n in places}
        self.at = defaultdict(list)
        for machine in self.machines.values():
            self.at[machine.institution].append(machine)
        self.events, self.count, self.cut, self.steps, self.trace = [], 0, set(), 0, hashlib.sha256()
        self.loss, self.late, self.crash = [r * self.random.random() if faulty else 0 for r in (0.3, 0.4, 0.05)]
        self.asleep = self.random.choice((100, 1000, 12000))
        # What was seen.
        self.blocks, self.windows, self.anchors, self.records = {}, {}, defaultdict(set), {}
        self.submitted, self.accepted, self.heights, self.frozen = set(), set(), Counter(), Counter()
        self.committees = {0: (shape["producers"], shape["auditors"])}  # from the block behind this height on
        for machine in self.machines.values():
            if faulty:
                machine.offset, machine.rate = self.random.randint(-2500, 2500), 1 + self.random.uniform(-0.01, 0.01)
            self.plan(self.random.randint(0, 300), self.wake, machine)

    def plan(self, after, do, *what):
        self.count += 1
        heapq.heappush(self.events, (self.now + after, self.count, do, what))

    def run(self, until):
        while self.events and self.events[0][0] <= until:
            self.now, _, do, what = heapq.heappop(self.events)
            do(*what)
        self.now = until

    def wake(self, machine):
        if not machine.node:
            machine.node, machine.life, machine.last = m.Node(self.network, machine.institution), machine.life + 1, 0
            self.step(machine, start=list(machine.disk))

    def stop(self, machine):
        machine.node = None
        if self.faulty:
            self.plan(self.random.randint(1, self.asleep), self.wake, machine)

    def step(self, machine, **what):
        if not machine.node:
            return
        self.steps += 1
        wanted = machine.node.step(machine.clock(self.now), **what)
        self.trace.update(repr((self.now, machine.number, wanted)).encode())
        torn, entries = self.random.random() < self.crash and wanted["append"], wanted["append"]
        if torn:
            entries = entries[:self.random.randint(0, len(entries))]
        if not wanted["replace"]:
            machine.disk = machine.disk + entries
        elif entries == wanted["append"]:
            machine.disk = entries
        assert all(len(e) <= 1 << 20 for e in entries) and sum(map(len, machine.disk)) <= 4 << 20
        if torn:
            return self.stop(machine)
        for seen in wanted["seen"]:
            self.judge(machine, *seen.popitem())
        for to, data in wanted["outbox"]:
            assert len(data) <= 1 << 20 and machine.institution not in to
            for target in (t for i in to for t in self.at[i]):
                self.post(machine, target, data)
        for name, after in wanted["timers"]:
            assert after > 0
            self.plan(round(after / machine.rate), self.ring, machine, machine.life, name)
        if self.random.random() < self.crash:
            self.stop(machine)

    def ring(self, machine, life, name):
        if life == machine.life:
            self.step(machine, timers=[name])

    def post(self, source, target, data):
        if source.silent or (source.number, target.number) in self.cut or self.random.random() < self.loss:
            return
        for _ in range(1 + (self.random.random() < self.loss / 2)):
            delay = self.random.randint(DELAY, 4000) if self.random.random() < self.late else self.random.randint(1, DELAY)
            self.plan(delay, self.deliver, target, source.institution, data)

    def deliver(self, machine, sender, data):
        self.step(machine, inbox=[(sender, data)])

    def submit(self, content, first=None):
        """A client, who asks another node as long as none has accepted."""
        self.submitted.add(digest_of(content))
        if digest_of(content) not in self.accepted:
            machine = first or self.random.choice([m for m in self.machines.values() if not m.silent])
            self.step(machine, requests=[(bytes(32), int(self.now), content)])
            self.plan(3000, self.submit, content)

    def partition(self):
        """Cuts links at random, each in one direction; or mends them all."""
        if self.faulty:
            share = self.random.choice((0, 0, 0.1, 0.3, 0.6))
            self.cut = {(a, b) for a in self.machines for b in self.machines if self.random.random() < share}
            self.plan(self.random.randint(500, 8000), self.partition)

    def mend(self):
        self.faulty, self.cut, self.loss, self.late, self.crash = False, set(), 0, 0, 0
        for machine in self.machines.values():
            self.wake(machine)

    # -- the judge

    def judge(self, machine, kind, what):
        getattr(self, "see_" + kind)(machine, what)

    def see_accepted(self, machine, what):
        assert what["content"] in self.submitted, "accepted what nobody submitted"
        self.accepted.add(what["content"])

    def see_final(self, machine, what):
        height, known = int(what["height"]), self.blocks.get(int(what["height"]))
        assert height <= self.heights[machine.number] + 1, "a height was left out"
        self.heights[machine.number] = max(height, self.heights[machine.number])
        assert known in (None, what), "agreement: two blocks at height %d" % height
        if known:
            return
        self.blocks[height] = what
        producers, auditors = self.committees[max(h for h in self.committees if h < height)]
        assert what["producer"] in producers, "made by one without a seat"
        assert set(what["auditors"]) <= set(auditors) and 2 * len(set(what["auditors"])) > len(auditors), "no majority audited it"
        assert height == 1 or int(what["timestamp"]) > int(self.blocks[height - 1]["timestamp"]), "time goes back"
        for record in what["records"]:
            assert record["content"] in self.submitted, "a record was invented"
            assert record["content"] not in self.records, "a record is final twice"
            self.records[record["content"]] = height

    def see_frozen(self, machine, what):
        window, last = what["window"], int(what["last"])
        assert window <= self.frozen[machine.number], "a window was left out"
        self.frozen[machine.number] = max(self.frozen[machine.number], window + 1)
        assert self.windows.setdefault(window, what) == what, "two nodes froze another window %d" % window
        self.committees[last] = what["producers"], what["auditors"]
        behind = [self.blocks[h] for h in range(1, last + 1)]
        signed, audited = Counter(b["producer"] for b in behind), Counter(i for b in behind for i in b["auditors"])
        for line in what["credit"]:
            i = line["institution"]
            assert (line["signed"], line["audited"]) == (signed[i], audited[i])
            assert int(line["points"]) == 60 - i + 2 * line["signed"] + line["audited"] - 6 * line["missed"]

    def see_anchor(self, machine, what):
        assert self.windows[what["window"]]["root"] == what["root"], "another root was anchored"
        self.anchors[what["window"]].add(machine.institution)


class Soup(World):
    """No time at all: any message ever sent may arrive now, any clock may jump ahead, any node may crash. Only safety is judged."""

    def __init__(self, seed, shape):
        self.soup, self.deaf = [], 0
        super().__init__(seed, {**shape, "delay_ms": 0})
        self.crash, self.deaf = self.random.choice((0, 0.05, 0.2)), self.random.choice((0.5, 0.9, 0.97))
        for machine in self.machines.values():
            machine.offset, machine.rate = self.random.randint(0, 5) * TURN, 1
            self.wake(machine)

    def plan(self, after, do, *what):
        pass

    def stop(self, machine):
        machine.node = None
        if self.random.random() < 0.5:
            machine.offset -= self.random.randint(0, 2) * TURN
        self.wake(machine)

    def post(self, source, target, data):
        """Decisions are often lost, so that heights are fought for."""
        if b'"decided"' not in data or self.random.random() > self.deaf:
            self.soup.append((target, source.institution, data))

    def stir(self, steps):
        dull = self.random.choice((0.1, 0.2, 0.3))
        for self.now in range(self.now, self.now + steps):
            machine = self.machines[self.random.choice(self.network["producers"])]
            if self.soup and self.random.random() > dull:
                at = self.random.randrange(max(0, len(self.soup) - 20), len(self.soup))
                self.deliver(*self.soup[at] if self.random.random() < 0.2 else self.soup.pop(at))
            elif self.random.random() < 0.5:
                self.step(machine, timers=["pulse"])
            else:
                machine.offset += TURN
                self.step(machine, timers=["turn"])


def quiet_world(seconds, contents=(), **shape):
    world = World(1, network(**shape), faulty=False)
    world.run(START)
    for content in contents:
        world.submit(content)
    world.run(START + seconds * 1000)
    return world


def faulty_world(seed, twins=()):
    """Faults for some turns, then none; safety is judged all the time, and life at the end."""
    chance = random.Random(-seed)
    turn = chance.choice((200, 500, 1000))
    shape = network(chance.randint(1, 4), chance.choice((1, 3, 4, 5)), chance.randint(0, 2), turn)
    world, bad, good = World(seed, shape, twins=twins), 20 * max(turn, 500), 40 * turn + 4000
    for number in range(chance.randint(1, 8)):
        world.plan(chance.randint(500, bad), world.submit, b"record %d" % number)
    if chance.random() < 0.8:
        world.partition()
    if chance.random() < 0.2:
        world.machines[1].silent = len(shape["producers"]) > 1
    world.run(START + bad)
    world.mend()
    healed = len(world.windows)
    world.run(START + bad + good)
    assert world.submitted == world.accepted == set(world.records), "not final: %s" % (world.accepted ^ set(world.records))
    assert len(world.windows) >= healed + 3, "windows are not frozen any more"
    assert all(world.anchors[window] for window in range(len(world.windows) - 1)), "a window was not anchored"
    top = max(world.heights.values())
    assert all(m.silent or world.heights[m.number] >= top - 3 for m in world.machines.values()), "a node stays behind"
    return world


class Healthy(unittest.TestCase):
    def test_every_turn_has_a_block_of_its_producer_and_all_auditors(self):
        world = quiet_world(41)
        self.assertEqual([world.blocks[h]["producer"] for h in sorted(world.blocks)], [1, 2, 3, 4] * 10 + [1])
        self.assertTrue(all(block["auditors"] == [5, 6, 7, 8] for block in world.blocks.values()))
        self.assertTrue(all(line["missed"] == 0 for window in world.windows.values() for line in window["credit"]))

    def test_each_window_is_anchored_once_by_a_producer(self):
        world = quiet_world(60)
        self.assertEqual({w: len(world.anchors[w]) for w in world.windows}, {w: 1 for w in range(7)})

    def test_records_are_final_once_whoever_takes_them(self):
        contents = [b"%d" % n for n in range(300)] + [bytes([n]) * 100_000 for n in range(4)]
        world = quiet_world(12, contents + contents[:20])
        self.assertEqual(set(world.records), set(map(digest_of, contents)))

    def test_a_node_takes_no_more_than_its_disk_holds(self):
        node = m.Node(network(), 1)
        node.step(START, start=[])
        contents = [bytes([n]) * 100_000 for n in range(8)] + [bytes(m.CONTENT_MAX + 1), b""]
        seen = node.step(START, requests=[(bytes(32), START, content) for content in contents])["seen"]
        self.assertEqual(seen, [{"accepted": {"content": digest_of(content)}} for content in contents[:5]])

    def test_com_7_a_silent_producer_is_replaced_by_the_best_auditor_and_that_one_by_the_best_outsider(self):
        world = World(1, network(), faulty=False)
        world.machines[2].silent = True
        world.run(START + 72 * TURN)
        last = world.windows[max(world.windows)]
        self.assertEqual((last["producers"], last["auditors"]), ([1, 5, 3, 4], [9, 6, 7, 8]))
        self.assertLess(int(last["credit"][1]["points"]), 0)

    def test_the_paper_s_committees(self):
        world = quiet_world(20, [b"%d" % n for n in range(20)], producers=21, auditors=20, others=0)
        self.assertEqual((len(world.blocks), len(world.records)), (20, 20))


    def test_auditors_that_lack_a_record_get_it_from_the_producer(self):
        world = quiet_world(0)
        world.cut = {(10, auditor) for auditor in (5, 6, 7, 8)}
        world.submit(b"x", world.machines[10])
        world.run(START + 3 * TURN)
        self.assertIn(digest_of(b"x"), world.records)

    def test_a_node_that_producers_do_not_reach_asks_others(self):
        world = quiet_world(0)
        world.cut = {(producer, 10) for producer in (1, 2, 3, 4)}
        world.run(START + 20 * TURN)
        self.assertGreater(world.heights[10], 10)

    def test_lost_messages_cost_few_turns(self):
        world = quiet_world(0)
        world.loss = 0.3
        world.run(START + 41 * TURN)
        self.assertGreater(len(world.blocks), 36)

    def test_nobody_pays_for_an_outage(self):
        world = quiet_world(20)
        world.cut = {(a, b) for a in world.machines for b in world.machines}
        world.run(START + 40 * TURN)
        world.cut = set()
        world.run(START + 60 * TURN)
        self.assertEqual({line["missed"] for line in world.windows[max(world.windows)]["credit"]}, {0})

    def test_a_full_disk_is_packed_and_read_again(self):
        world = quiet_world(0)
        for number in range(30):
            world.submit(bytes([number]) * 100_000, world.machines[1])
            world.run(START + (number + 1) * 4 * TURN)
        first, height = world.machines[1].disk[0], world.heights[1]
        self.assertEqual(first[:1], b"c")
        world.machines[1].node = None
        world.wake(world.machines[1])
        self.assertEqual((len(world.machines[1].node.ledger.blocks), len(world.records)), (height, 30))


class Rules(unittest.TestCase):
    """One node of two producers and three auditors, and what it says to messages made by hand. Institution 1 has the odd turns."""

    def begin(self, me):
        self.me, self.disk, self.now = me, [], START
        self.wake()

    def wake(self):
        self.node = m.Node(network(2, 3, 1), self.me)
        return self.step(start=list(self.disk))

    def step(self, **what):
        wanted = self.node.step(self.now, **what)
        self.seen = [kind for seen in wanted["seen"] for kind in seen]
        self.disk = wanted["append"] if wanted["replace"] else self.disk + wanted["append"]
        sent = [{"to": to, **json.loads(data)} for to, data in wanted["outbox"]]
        return [s for s in sent if s["kind"] not in ("record", "ask")]

    def hear(self, sender, kind, **fields):
        return self.step(inbox=[(sender, m.encode({"kind": kind, **fields}))])

    def block(self, turn, auditors=(), **fields):
        return {"height": 1, "parent": "0" * 64, "turn": turn, "producer": 2 - turn % 2, "timestamp": START + turn, "anchored": 0,
                "records": [], "auditors": list(auditors), **fields}

    def prepare(self, turn, **fields):
        return self.hear(2 - turn % 2, "prepare", height=1, turn=turn, draft=self.block(turn, **fields))

    def accept(self, turn, block):
        return self.hear(2 - turn % 2, "accept", height=1, turn=turn, block=block)

    def promise(self, sender, turn, audited=True, accepted=()):
        return self.hear(sender, "promise", height=1, turn=turn, audited=audited, lacks=[], accepted=list(accepted))

    def test_an_auditor_keeps_its_promise_also_over_a_crash(self):
        self.begin(3)
        self.assertEqual(self.prepare(4)[0]["kind"], "promise")
        for _ in range(2):
            self.assertEqual(self.prepare(3) + self.accept(3, self.block(3, [3, 4])), [])
            self.wake()
        self.assertEqual(self.accept(4, self.block(4, [3, 4]))[0]["kind"], "accepted")

    def test_an_auditor_tells_what_it_accepted_also_after_a_crash(self):
        self.begin(3)
        block = self.block(1, [3, 4])
        self.accept(1, block)
        self.wake()
        self.assertEqual(self.prepare(2)[0]["accepted"], [{"turn": 1, "block": block}])

    def test_an_auditor_audits_no_draft_whose_records_it_lacks_or_that_breaks_a_rule(self):
        self.begin(3)
        entry = {"content": digest_of(b"x"), "owner": "0" * 64, "created": 1, "booked_by": 6}
        reply, = self.prepare(1, records=[entry])
        self.assertEqual((reply["audited"], reply["lacks"]), (False, [digest_of(b"x")]))
        self.hear(1, "record", record={**entry, "content": "eA=="})
        self.assertEqual([self.prepare(1, **wrong)[0]["audited"] for wrong in (
            {"records": [entry]}, {"records": [entry, entry]}, {"timestamp": START}, {"parent": "1" * 64}, {"producer": 2},
            {"anchored": 1}, {"records": [{**entry, "booked_by": 9}]})], [True] + [False] * 6)
        self.hear(4, "decided", blocks=[self.block(1, [3, 4], records=[entry])], top=1)
        parent = self.node.ledger.name
        twice = self.block(2, height=2, parent=parent, records=[entry])
        self.assertEqual(self.hear(2, "prepare", height=2, turn=2, draft=twice)[0]["audited"], False)
        self.hear(4, "decided", blocks=[{**twice, "auditors": [3, 4]}], top=2)
        self.assertEqual(self.node.height(), 2)

    def test_a_proposer_begins_no_ballot_twice(self):
        self.begin(1)
        self.assertEqual(self.disk and self.node.begun, (1, 1))
        self.now += 10
        self.assertEqual(self.wake(), [])

    def test_a_proposer_adopts_what_was_accepted_last(self):
        self.begin(1)
        votes = [{"turn": turn, "block": self.block(turn, [3, 4])} for turn in (-2, -4)]
        self.assertEqual(self.promise(3, 1, accepted=votes[:1]), [])
        sent, = self.promise(4, 1, accepted=votes[1:])
        self.assertEqual((sent["kind"], sent["block"]), ("accept", votes[0]["block"]))

    def test_a_proposer_waits_for_all_auditors_but_not_for_ever(self):
        self.begin(1)
        self.assertEqual(self.promise(3, 1) + self.promise(5, 1), [])
        self.now += self.node.pulse_ms
        sent, = self.step(timers=["pulse"])
        self.assertEqual((sent["kind"], sent["block"]["auditors"]), ("accept", [3, 5]))
        self.now += self.node.pulse_ms
        self.assertEqual(self.hear(4, "accepted", height=1, turn=1) + self.step(timers=["pulse"]), [{**sent, "to": [3, 5]}])

    def test_a_majority_decides_and_no_less(self):
        self.begin(1)
        for auditor in (3, 4, 5):
            self.promise(auditor, 1)
        self.assertEqual(self.hear(4, "accepted", height=1, turn=1) + self.hear(4, "accepted", height=1, turn=1), [])
        self.assertEqual(self.hear(3, "accepted", height=1, turn=1)[0]["kind"], "decided")

    def test_what_a_crash_kept_from_being_seen_is_seen_again_also_after_another_crash(self):
        self.begin(1)
        self.hear(3, "decided", blocks=[self.block(1, [3, 4])], top=1)
        self.assertEqual(self.seen, ["final"])
        self.now += 2 * TURN
        for _ in range(3):
            self.wake()
            self.assertEqual((self.seen, self.node.begun), (["final"], (2, 3)))
        self.step(timers=["turn"])
        self.assertEqual(self.seen, [])

    def test_who_is_ahead_helps_and_who_is_behind_asks(self):
        self.begin(3)
        wanted = self.node.step(START, inbox=[(1, m.encode({"kind": "prepare", "height": 4, "turn": 1, "draft": self.block(1)}))])
        self.assertEqual(wanted["outbox"], [([1], m.encode({"kind": "ask", "height": 1}))])
        self.hear(4, "decided", blocks=[self.block(1, [3, 4])], top=1)
        self.assertEqual([s["top"] for s in self.prepare(2) + self.hear(6, "ask", height=1)], [1, 1])

    def test_nonsense_is_ignored(self):
        self.begin(3)
        rubbish = [b"", b"\xff", b"[]", b"null", b"{}", b'{"kind":[]}', b'{"kind":"step"}', b"[" * 100_000, b"9" * 5000, b'{"kind":"ask"}',
                   b'{"kind":"ask","height":1.5}', b'{"kind":"ask","height":true}', b'{"kind":"ask","height":1%s}' % (b"0" * 30)]
        for kind, shape in m.MESSAGES.items():
            for value in (None, [], {}, -1, 1 << 63, "x", [[]], [None]):
                rubbish.append(m.encode({"kind": kind, **{name: value for name in shape}}))
        self.assertEqual(self.step(inbox=[(sender, data) for data in rubbish for sender in (1, 4, 77)]), [])

    def test_nothing_that_has_the_right_shape_ends_a_node(self):
        draw = random.Random(1)
        values = {m.is_number: (-1 << 63, -1, 0, 1, 2, 3, 4, 99, START + 1, (1 << 63) - 1), m.is_flag: (True, False),
                  m.is_content: ("eA==", "eQ=="), m.is_digest: ("0" * 64, digest_of(b"x"), digest_of(b"y"))}

        def made(shape):
            if type(shape) is dict:
                return {name: made(inner) for name, inner in shape.items()}
            return [made(shape[0]) for _ in range(draw.randint(0, 2))] if type(shape) is list else draw.choice(values[shape])

        for me in (1, 3, 6):
            self.begin(me)
            for _ in range(2000):
                kind = draw.choice(sorted(m.MESSAGES))
                self.hear(draw.randint(1, 7), kind, **made(m.MESSAGES[kind]))
            self.wake()


class Faults(unittest.TestCase):
    def test_agreement_validity_no_loss_and_life_once_mended(self):
        low, _, high = os.environ.get("SEEDS", "1-60").rpartition("-")
        for seed in range(int(low or 1), int(high) + 1):
            with self.subTest(seed=seed):
                faulty_world(seed)

    def test_agreement_in_any_order_of_events(self):
        for seed in range(200):
            with self.subTest(seed=seed):
                world = Soup(seed, network(2 + seed % 2, 3, 0))
                world.submit(b"a record")
                world.stir(400)

    def test_a_seed_runs_the_same_twice(self):
        self.assertEqual(faulty_world(7).trace.digest(), faulty_world(7).trace.digest())

    def test_twins_break_agreement(self):
        """The canary: the judge must notice, for most seeds, what the node cannot prevent."""
        broken = []
        for seed in range(1, 31):
            try:
                faulty_world(seed, twins=(1, 2, 3, 4, 5))
            except AssertionError as error:
                broken.append(str(error))
        self.assertTrue(any(error.startswith("agreement") for error in broken), broken)


class Lines(unittest.TestCase):
    """The adapter as the harness meets it: a process."""

    def setUp(self):
        self.process = subprocess.Popen([sys.executable, HERE / "node.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.count = 0

    def tearDown(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def ask(self, verb, **fields):
        self.count += 1
        self.process.stdin.write(json.dumps({"id": self.count, "verb": verb, **fields}, separators=(",", ":")) + "\n")
        self.process.stdin.flush()
        reply = json.loads(self.process.stdout.readline())
        self.assertEqual((reply.pop("id"), len(reply)), (self.count, 1))
        return reply

    def step(self, node, now=START, **fields):
        return self.ask("step", node=node, now=str(now), random="00" * 32, **fields)["ok"]

    def test_hello_and_what_it_cannot_do(self):
        hello = self.ask("hello", protocol=[1], suite="2026.11")["ok"]
        self.assertEqual((hello["protocol"], hello["ops"], hello["networks"]), (1, [], ["paper"]))
        self.assertEqual(self.ask("reset", seed="00" * 32), {"ok": {}})
        for verb in ("call", "dance", "answer", "__init__"):
            self.assertIn("unsupported", self.ask(verb, op="decode", args={}))
        self.assertIn("unsupported", self.ask("reset", seed="00" * 32, network={**network(), "profile": "mdsm-1"}))
        self.assertIn("unsupported", self.ask("hello", protocol=[2], suite="2026.11"))

    def test_bye_ends_it(self):
        self.process.stdin.write('{"id":1,"verb":"bye"}\n')
        self.process.stdin.flush()
        self.assertEqual((self.process.wait(2), self.process.stdout.read()), (0, ""))

    def test_a_record_becomes_final_and_a_window_is_frozen(self):
        """One producer, one auditor; bytes above 4,096 are in base64 on the line."""
        self.assertEqual(self.ask("reset", seed="00" * 32, network=network(1, 1, 0)), {"ok": {}})
        self.assertEqual(self.step(2, start={"durable": []}), {"timers": [{"timer": "turn", "after_ms": TURN}]})
        content = bytes(range(256)) * 20
        submit = {"owner": "07" * 32, "created": "-5", "content": m.text_of(content)}
        begun = self.step(1, start={"durable": []}, requests=[{"submit": submit}])
        self.assertEqual(begun["seen"], [{"accepted": {"content": digest_of(content)}}])
        self.assertEqual([letter["to"] for letter in begun["outbox"]], [[2], [2]])
        disks, letters, seen = {1: begun["append"], 2: []}, [(1, letter) for letter in begun["outbox"]], []
        for turn in range(1, 10):
            while letters:
                sender, letter = letters.pop(0)
                wanted = self.step(3 - sender, START + turn * TURN - 1, inbox=[{"from": sender, "message": letter["message"]}])
                disks[3 - sender] += wanted.get("append", [])
                letters += [(3 - sender, letter) for letter in wanted.get("outbox", [])]
                seen += wanted.get("seen", [])
            if turn == 4:
                self.assertEqual(self.ask("crash", node=1), {"ok": {}})
                wanted = self.step(1, START + turn * TURN, start={"durable": disks[1]})
            else:
                wanted = self.step(1, START + turn * TURN, timers=["turn"])
            disks[1] += wanted["append"]
            letters = [(1, letter) for letter in wanted["outbox"]]
        final, = [s["final"] for s in seen if s.get("final", {}).get("records")][:1]
        self.assertEqual(final["records"], [{"content": digest_of(content), "booked_by": 1}])
        self.assertEqual([s["frozen"]["window"] for s in seen if "frozen" in s], [0, 0])


if __name__ == "__main__":
    unittest.main()
