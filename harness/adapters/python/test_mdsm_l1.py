"""Tests of the Python adapter: published vectors, the known answers of re-encryption, and round trips. Run: python3 -m unittest"""
import json
import pathlib
import random
import struct
import subprocess
import sys
import unittest

import mdsm_l1 as m
import primitives
from operations import answer, raw, text_of
from wire import H, encode, identity

HERE = pathlib.Path(__file__).resolve().parent
KNOWN = json.loads((HERE / "../../vectors/reencryption.json").read_text())
CHAIN, SEED, OTHER = bytes([7]) * 32, bytes([1]) * 32, bytes([2]) * 32


def call(op, **args):
    """A call as it comes over a line, so with bytes as text."""
    args = json.loads(json.dumps(args, default=text_of))
    return json.loads(json.dumps(answer({"verb": "call", "op": op, "args": args}), default=text_of))


def sign(seed, message):
    return m.sign(seed, message)


def key(seed):
    return sign(seed, b"")[0]


def metadata(size, **fields):
    v = dict(resource_type=b"DiagnosticReport", content_type=b"text/plain; charset=utf-8", created=1_700_000_000_000, tz_offset_min=60,
             size=size, kind={"system": 1, "code": b"11502-2"}, category=None, status=1, relates_to={"kind": 4, "record": SEED},
             format=b"urn:x", language=b"de-CH", custodian=None, author=OTHER, activity=1, security=[1, 3], consent=SEED,
             encryption=None, ext=[{"key": b"a", "value": b""}, {"key": b"ab", "value": b"x"}])
    return {**v, **fields}


def envelope(content=b"a report", seed=SEED, **fields):
    v = {"owner": key(seed), "metadata": metadata(**{"size": len(content), **fields}), "content": (0, content), "booked_by": 9}
    message = b"MSGR\1" + CHAIN + identity("MRID", m.booking_of(v))
    return {**v, "owner_signature": sign(seed, message)[1]}


def header(**fields):
    v = dict(chain_id=CHAIN, epoch=3, view=5, height=40, parent=SEED, parent_view=4, timestamp=1_700_000_000_000, producer=1, payload=OTHER)
    return {**v, **fields}


def seats(ids):
    return [{"institution": i, "key": key(bytes([i]) * 32)} for i in ids]


def signed_vote(signer, view, tag, digest):
    vote = {"epoch": 3, "view": view, "subject": (tag, digest)}
    return {"vote": vote, "signer": signer, "signature": sign(bytes([signer]) * 32, m.vote_message(CHAIN, vote))[1]}


def signed_header(v):
    return {"header": v, "signature": sign(bytes([v["producer"]]) * 32, b"MPRO\1" + identity("MBHD", v))[1]}


class Signatures(unittest.TestCase):
    RFC_8032 = [
        ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]

    def test_rfc_8032(self):
        for seed, public, message, signature in self.RFC_8032:
            self.assertEqual(call("ed25519.sign", seed=seed, message=message)["ok"], {"key": public, "signature": signature})
            self.assertEqual(call("ed25519.verify", key=public, message=message, signature=signature), {"ok": {}})
            self.assertEqual(call("ed25519.verify", key=public, message=message + "00", signature=signature)["reject"]["class"], "signature")

    def test_a_scalar_at_or_above_the_order_is_refused(self):
        _, public, message, signature = self.RFC_8032[0]
        s = (int.from_bytes(bytes.fromhex(signature[64:]), "little") + primitives.L).to_bytes(32, "little").hex()
        self.assertIn("reject", call("ed25519.verify", key=public, message=message, signature=signature[:64] + s))

    def test_zip_215_takes_what_is_not_canonical_in_r(self):
        secret, message = 8 * 12345, b"m"
        public = primitives.bytes_of(primitives.times(secret, primitives.BASE))
        for r in ("01" + "00" * 31, "01" + "00" * 30 + "80", "ee" + "ff" * 30 + "7f", "ee" + "ff" * 31, "00" * 32, "ed" + "ff" * 30 + "7f"):
            k = primitives.challenge(bytes.fromhex(r), public, message)
            signature = bytes.fromhex(r) + (k * secret % primitives.L).to_bytes(32, "little")
            self.assertEqual(call("ed25519.verify", key=public, message=message, signature=signature), {"ok": {}}, r)

    def test_a_key_of_small_order_is_refused_however_it_is_written(self):
        order_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03"
        for small in ("01" + "00" * 31, "ee" + "ff" * 30 + "7f", "00" * 32, "00" * 31 + "80", "ed" + "ff" * 31, "ec" + "ff" * 30 + "7f",
                      order_8 + "7a", order_8 + "fa", "02" + "00" * 31):
            reply = call("ed25519.verify", key=small, message="", signature=small + "00" * 32)
            self.assertEqual(reply["reject"]["class"], "key", small)

    def test_a_key_of_mixed_order_is_taken_alone_and_in_a_batch(self):
        torsion = primitives.point_of(bytes(32))                   # of order 4
        public = primitives.bytes_of(primitives.add(primitives.times(99, primitives.BASE), torsion))
        r = primitives.bytes_of(primitives.times(5, primitives.BASE))
        s = (5 + primitives.challenge(r, public, b"") * 99) % primitives.L
        item = dict(key=public, message=b"", signature=r + s.to_bytes(32, "little"))
        self.assertEqual(call("ed25519.verify", **item), {"ok": {}})
        self.assertEqual(call("ed25519.verify_batch", items=[item, item]), {"ok": {}})


class Trees(unittest.TestCase):
    LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    ROOTS = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
             "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
             "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
             "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"]

    def test_known_roots_of_rfc_6962(self):
        for size, root in enumerate(self.ROOTS):
            self.assertEqual(call("merkle.root", leaves=self.LEAVES[:size])["ok"]["root"], root)

    def test_every_path_verifies_and_fits_no_other_index_or_size(self):
        for size in range(1, 9):
            leaves = self.LEAVES[:size]
            root = call("merkle.level", level=1, leaves=leaves)["ok"]["root"]
            for index in range(size):
                path = call("merkle.path", leaves=leaves, index=index)["ok"]["path"]
                for i in range(size + 1):
                    for n in (size, size + 1):
                        reply = call("merkle.verify", level=1, leaf=leaves[index], index=i, size=n, path=path, root=root)
                        self.assertEqual("ok" in reply, (i, n) == (index, size))


class Values(unittest.TestCase):
    def samples(self):
        envelopes = [envelope(), envelope(b"x", OTHER)]
        item = {"records": envelopes}
        items = [m.level_root(1, m.item_leaves(item)), SEED]
        block = {"header": dict(chain_id=CHAIN, height=40, producer=1, closed_at=-5, root=m.level_root(2, items)), "items": items}
        vote = signed_vote(2, 5, 1, SEED)
        certificate = {"vote": vote["vote"], "signers": b"\5", "signatures": [vote["signature"]] * 2}
        booking, proposal = m.booking_of(envelopes[0]), signed_header(header())
        placed = dict(booking=booking, index=0, size=2, path=[SEED], item=dict(index=0, size=2, path=[OTHER]))
        summary = dict(item_block=block["header"], certificate=None, events=SEED)
        repeated = (7, dict(summary=summary, first=placed, second=placed))
        evidence = [(1, dict(first=proposal, second=proposal)), (2, dict(first=vote, second=signed_vote(2, 5, 2, {}))),
                    (3, dict(block=proposal, fault=(1, {}))), (4, dict(block=proposal, fault=repeated, vote=vote))]
        events = dict(evidence=evidence, registrations=[], services=[], reports=[dict(epoch=1, txid=SEED, height=8)])
        payload = dict(item_block=block, certificate=certificate, events=events)
        places = dict(item_index=0, item_size=1, block_index=0, block_size=1, data_index=0, data_size=1, window_index=0, window_size=1, path=[])
        bitcoin = dict(height=1, transaction=b"t", tx_index=0, branch=[SEED])
        request = dict(owner=SEED, reader_key=SEED, offer=SEED, records=[SEED, OTHER])
        approval, seat = dict(capsule=SEED, key=SEED, signer=SEED, signature=bytes(64)), dict(institution=4, key=SEED)
        return {
            "MKYR": dict(lattice=SEED, parcels=OTHER), "MAPS": dict(approvals=[approval, {**approval, "capsule": OTHER}]),
            "MRCM": dict(epoch=1, offset=7, producers=[seat], auditors=[seat], institutions=SEED),
            "MREC": {k: envelopes[0][k] for k in ("owner", "metadata", "content")}, "MENV": envelopes[0], "MBKG": booking, "MITM": item,
            "MIBL": block, "MGEN": dict(name=b"net", started_at=600_000, turn_ms=6000, minute_ms=60_000, window_ms=600_000, producers=4,
                                        auditors=4, committees=SEED, registrar=OTHER),
            "MDBL": dict(epoch=1, index=0, roots=[SEED]), "MWIN": dict(epoch=1, roots=[]), "MSVT": vote, "MCRT": certificate,
            "MANC": dict(chain_id=CHAIN, epoch=1, window=SEED, head=SEED, state=SEED, next_committees=SEED), "MBHD": header(), "MSUM": summary,
            "MEVD": evidence[3], "MEVS": events, "MPAY": payload, "MBLK": dict(header=header(), payload=payload),
            "MPRP": dict(signed=proposal, payload=payload), "MJRN": (4, certificate), "MMSG": (12, envelopes),
            "MDCN": dict(blocks=[dict(signed=proposal, payload=payload)], closing=[proposal], certificate=certificate),
            "MRCP": dict(chain_id=CHAIN, epoch=1, booking=booking, places=places, context=SEED, bitcoin=bitcoin), "MACT": (0, request),
            "MSPO": dict(offers=[SEED, OTHER]), "MPPK": dict(key=bytes(1216)), "MAPV": approval,
            "MPCL": dict(purpose=1, sender=SEED, receiver=SEED, encapsulated=bytes(1120), sealed=bytes(20), signature=bytes(64)),
            "MSVC": dict(grant=SEED, epoch=1, institution=4, kind=2, client=SEED, signature=bytes(64)),
            "MRGN": dict(institution=4, key=SEED, rating=100, centre=5, signature=bytes(64), approval=bytes(64))}

    def test_round_trips(self):
        for tag, value in self.samples().items():
            data = encode(tag, value)
            reply = call("decode", tag=tag, bytes=data)
            self.assertEqual(raw(reply["ok"]["bytes"]), data, tag)
            self.assertEqual(reply["ok"]["digests"]["id"], H(data).hex())

    def test_cut_prolonged_and_renamed(self):
        for tag, value in self.samples().items():
            data = encode(tag, value)
            classes = [call("decode", tag=tag, bytes=other)["reject"]["class"] for other in (data[:-1], data + b"\0", b"MXYZ" + data[4:], data[:4] + b"\2" + data[5:])]
            self.assertEqual(classes, ["truncated", "trailing", "tag", "version"], tag)

    def test_a_changed_byte_is_refused_or_makes_another_value(self):
        dice = random.Random(5)
        for tag, value in self.samples().items():
            data = encode(tag, value)
            for _ in range(40):
                at, byte = dice.randrange(5, len(data)), dice.randrange(256)
                changed = data[:at] + bytes([byte]) + data[at + 1:]
                reply = call("decode", tag=tag, bytes=changed)          # decode_value holds the bytes against those encoded again
                self.assertTrue("ok" in reply or reply["reject"]["class"] in ("truncated", "trailing", "bound", "variant", "order", "rule"))

    def test_faults_of_fields_have_their_class(self):
        swapped = metadata(8)["ext"][::-1]
        for kind, v in (("order", envelope(ext=swapped)), ("order", envelope(security=[2, 2])), ("bound", envelope(created=-1)), ("rule", envelope(size=9)),
                        ("rule", envelope(encryption={"scheme": 1, "key": SEED})), ("rule", envelope(resource_type=b"1a")), ("bound", envelope(b"")),
                        ("bound", envelope(b"x" * 102_401)), ("variant", envelope(status=4)), ("bound", envelope(tz_offset_min=841))):
            self.assertEqual(call("decode", tag="MENV", bytes=encode("MENV", v))["reject"]["class"], kind)
        self.assertIn("ok", call("decode", tag="MENV", bytes=encode("MENV", envelope(b"x" * 102_400))))

    def test_an_envelope_is_its_owners(self):
        v = envelope()
        self.assertIn("ok", call("envelope.check", chain_id=CHAIN, envelope=encode("MENV", v)))
        self.assertEqual(call("envelope.check", chain_id=SEED, envelope=encode("MENV", v))["reject"]["class"], "signature")


class Deliveries(unittest.TestCase):
    def test_a_delivery_is_signed_over_grant_and_both_capsules(self):
        key = call("pre.key_gen", set=0, seed=SEED)["ok"]["public_key"]
        before = call("pre.encaps", public_key=key, key_id=SEED, message=SEED)["ok"]["capsule"]
        after = m.decode("MCAP", raw(before))
        after.update(hop=1, holder=OTHER)
        signed = call("delivery.sign", seed=SEED, grant=CHAIN, before=before, capsule=encode("MCAP", after))["ok"]["delivery"]
        delivery = m.decode("MDLV", raw(signed))
        def check(**changed):
            value = dict(delivery, **changed)
            return call("delivery.check", proxy=delivery["proxy"], grant=CHAIN, reader=OTHER, before=before, delivery=encode("MDLV", value))
        self.assertEqual(check(), {"ok": {}})
        for changed in (dict(grant=SEED), dict(before=SEED), dict(proxy=SEED), dict(capsule=dict(after, hop=2))):
            self.assertEqual(check(**changed)["reject"]["class"], "signature", changed)
        other = call("delivery.check", proxy=delivery["proxy"], grant=SEED, reader=OTHER, before=before, delivery=signed)
        self.assertEqual(other["reject"]["class"], "refused")


class Agreement(unittest.TestCase):
    SEATS = dict(producers=seats([1, 2, 3, 4]), auditors=seats([5, 6, 7, 8]))

    def judge(self, evidence):
        return call("evidence.judge", chain_id=CHAIN, epoch=3, offset="0", evidence=encode("MEVD", evidence), **self.SEATS)

    def test_a_certificate_needs_three_of_four(self):
        vote = signed_vote(5, 5, 1, SEED)
        def check(bitmap, signers):
            value = {"vote": vote["vote"], "signers": bitmap, "signatures": [signed_vote(i, 5, 1, SEED)["signature"] for i in signers]}
            return call("certificate.check", chain_id=CHAIN, seats=self.SEATS["auditors"], certificate=encode("MCRT", value))
        self.assertEqual(check(b"\x0d", [5, 7, 8]), {"ok": {"signers": [5, 7, 8]}})
        for kind, bitmap, signers in (("signature", b"\x0d", [5, 8, 7]), ("quorum", b"\x09", [5, 8]), ("outsider", b"\x1d", [5, 7, 8, 8]),
                                      ("outsider", b"\x0d\0", [5, 7, 8])):
            self.assertEqual(check(bitmap, signers)["reject"]["class"], kind)

    def test_votes_that_contradict_each_other(self):
        for kind, one, two in ((2, (1, SEED), (1, OTHER)), (3, (3, SEED), (2, {})), (4, (3, SEED), (3, OTHER))):
            evidence = (2, dict(first=signed_vote(6, 5, *one), second=signed_vote(6, 5, *two)))
            self.assertEqual(self.judge(evidence)["ok"], {"institution": 6, "epoch": 3, "view": "5", "kind": kind})
        for one, two in (((1, SEED), (1, SEED)), ((1, SEED), (2, {})), ((1, SEED), (3, OTHER))):
            self.assertEqual(self.judge((2, dict(first=signed_vote(6, 5, *one), second=signed_vote(6, 5, *two))))["reject"]["class"], "unproven")
        anchors = (2, dict(first=signed_vote(2, 0, 4, SEED), second=signed_vote(2, 0, 4, OTHER)))
        self.assertEqual(self.judge(anchors)["ok"]["kind"], 7)

    def test_blocks_and_votes_for_them(self):
        one, wrong = header(), header(view=1, parent_view=1, producer=1)
        twin = (1, dict(first=signed_header(one), second=signed_header(header(height=41))))
        self.assertEqual(self.judge(twin)["ok"]["kind"], 1)
        self.assertEqual(self.judge((3, dict(block=signed_header(wrong), fault=(1, {}))))["ok"], {"institution": 1, "epoch": 3, "view": "1", "kind": 5})
        vote = signed_vote(7, 1, 1, identity("MBHD", wrong))
        self.assertEqual(self.judge((4, dict(block={"header": wrong, "signature": bytes(64)}, fault=(1, {}), vote=vote)))["ok"]["kind"], 6)
        self.assertEqual(self.judge((3, dict(block=signed_header(one), fault=(1, {}))))["reject"]["class"], "unproven")

    def convicts(self, fault, **fields):
        reply = self.judge((3, dict(block=signed_header(header(**fields)), fault=fault)))
        self.assertIn(reply.get("reject", {}).get("class"), (None, "unproven"))
        return "ok" in reply

    def test_a_parent_that_contradicts_its_child(self):
        parent = header(view=4, parent_view=3, height=39, timestamp=1_699_999_999_999)
        for wrong, change in ((False, {}), (True, {"height": 38}), (True, {"timestamp": 1_700_000_000_000}), (True, {"view": 3}), (True, {"epoch": 2}), (True, {"epoch": 4})):
            other = {**parent, **change}
            self.assertEqual(self.convicts((2, dict(parent=other)), parent=identity("MBHD", other)), wrong, change)
        self.assertFalse(self.convicts((2, dict(parent=parent)), parent=OTHER))
        last = {**parent, "epoch": 2, "view": 77}
        self.assertFalse(self.convicts((2, dict(parent=last)), parent=identity("MBHD", last), parent_view=0))

    def test_a_certificate_that_does_not_certify_the_parent(self):
        for wrong, view, signers in ((False, 4, [5, 6, 8]), (True, 3, [5, 6, 8]), (True, 4, [5, 6, 7])):
            votes = [signed_vote(i, view, 1, SEED) for i in signers]
            value = {"vote": votes[0]["vote"], "signers": b"\x0b", "signatures": [v["signature"] for v in votes]}
            summary = dict(item_block=None, certificate=H(encode("MCRT", value)), events=SEED)
            self.assertEqual(self.convicts((3, dict(summary=summary, certificate=value)), payload=H(encode("MSUM", summary))), wrong)

    def test_what_an_item_block_shows(self):
        leaves = [encode("MBKG", m.booking_of(envelope(bytes([1 + i % 10])))) for i in range(11)]        # the last as the first
        items = [m.level_root(1, leaves), SEED]
        block = dict(chain_id=CHAIN, height=40, producer=1, closed_at=0, root=m.level_root(2, items))
        def convicts(tag, changes=None, **fault):
            summary = dict(item_block={**block, **(changes or {})}, certificate=None, events=SEED)
            return self.convicts((tag, dict(summary=summary, **fault)), payload=H(encode("MSUM", summary)))
        self.assertEqual([convicts(4, c) for c in ({}, {"height": 41}, {"producer": 2}, {"closed_at": 1_700_000_000_001})], [False, True, True, True])
        item = dict(index=0, size=2, path=[H(b"\0", SEED)])
        tree = m.tree(leaves)
        self.assertEqual([convicts(5, item=item, records=n, tree=tree) for n in (10, 11)], [False, True])
        def placed(i):
            booking = m.booking_of(envelope(bytes([1 + i % 10])))
            return dict(booking=booking, index=i, size=11, path=m.path_of(leaves, i), item=item)
        self.assertEqual([convicts(7, first=placed(0), second=placed(i)) for i in (0, 1, 10)], [False, False, True])

    def test_a_record_from_the_future(self):
        v = m.booking_of(envelope(created=1_700_000_120_001))
        root = m.level_root(2, [m.level_root(1, [encode("MBKG", v)])])
        block = dict(chain_id=CHAIN, height=40, producer=1, closed_at=0, root=root)
        summary = dict(item_block=block, certificate=None, events=SEED)
        placed = dict(booking=v, index=0, size=1, path=[], item=dict(index=0, size=1, path=[]))
        for stamp, result in ((1_700_000_000_000, "ok"), (1_700_000_000_001, "reject")):
            b = header(timestamp=stamp, payload=H(encode("MSUM", summary)))
            self.assertIn(result, self.judge((3, dict(block=signed_header(b), fault=(6, dict(summary=summary, first=placed))))))


class Anchors(unittest.TestCase):
    REGTEST = bytes.fromhex("01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a" + "dae5494dffff7f2002000000")

    def transaction(self, root, epoch=1, more=b""):
        script = b"\x6a\x29MDSM\1" + struct.pack("<I", epoch) + root
        outputs = [script] + ([more] if more else [])
        return (b"\1\0\0\0\1" + bytes(36) + b"\0" + b"\xff" * 4 + bytes([len(outputs)])
                + b"".join(bytes(8) + bytes([len(s)]) + s for s in outputs) + bytes(4))

    def headers(self, root, count=6):
        chain = [self.REGTEST]
        for i in range(count):
            nonce = 0
            while True:
                found = b"\1\0\0\0" + m.hash256(chain[-1]) + (root if i == 0 else SEED) + bytes(4) + b"\xff\xff\x7f\x20" + struct.pack("<I", nonce)
                if int.from_bytes(m.hash256(found), "little") <= 0x7FFFFF << 232:
                    break
                nonce += 1
            chain.append(found)
        return b"".join(chain)

    def test_a_receipt_from_record_to_header(self):
        booking = m.booking_of(envelope())
        window = encode("MBKG", booking)
        for level in (1, 2, 3, 4):
            window = m.level_root(level, [window])
        transaction = self.transaction(identity("MANR", dict(chain_id=CHAIN, epoch=1, window=window, context=SEED)))
        places = dict(item_index=0, item_size=1, block_index=0, block_size=1, data_index=0, data_size=1, window_index=0, window_size=1, path=[])
        bitcoin = dict(height=1, transaction=transaction, tx_index=1, branch=[OTHER])
        value = dict(chain_id=CHAIN, epoch=1, booking=booking, places=places, context=SEED, bitcoin=bitcoin)
        headers = self.headers(m.hash256(OTHER + m.hash256(transaction)))
        def verify(change, **args):
            return call("receipt.verify", **{"receipt": encode("MRCP", {**value, **change}), "headers": headers, **args})
        self.assertEqual(verify({}, content=b"a report")["ok"]["block"], m.hash256(headers[80:160]).hex())
        for kind, change, args in (
                ("content", {}, dict(content=b"another")), ("unanchored", dict(bitcoin=None), {}), ("epoch", dict(epoch=2), {}), ("root", dict(context=OTHER), {}),
                ("shape", dict(places={**places, "item_index": 1}), {}), ("signature", dict(chain_id=SEED), {}), ("headers", {}, dict(headers=headers[:-80])),
                ("transaction", dict(bitcoin={**bitcoin, "transaction": self.transaction(SEED, more=b"\x6a\4MDSM")}), {}),
                ("headers", dict(bitcoin={**bitcoin, "branch": [SEED]}), {}), ("headers", {}, dict(headers=headers[80:]))):
            self.assertEqual(verify(change, **args)["reject"]["class"], kind)

    def test_ten_item_blocks_and_the_rest(self):
        blocks = [{"timestamp": str(6000 * (i + 1)), "item_block": bytes([i]) * 32} for i in range(12)] + [{"timestamp": "120000"}]
        done = call("windows", started_at="0", minute_ms=60_000, window_ms=120_000, blocks=blocks)["ok"]["blocks"]
        ten, rest = m.level_root(3, [bytes([i]) * 32 for i in range(10)]), m.level_root(3, [bytes([10]) * 32, bytes([11]) * 32])
        self.assertEqual([d["cut"] for d in done if d["cut"]], [[ten.hex()], [rest.hex()]])
        self.assertEqual(done[-1]["frozen"], m.level_root(4, [ten, rest]).hex())


    def test_nine_item_blocks_wait_for_a_later_check(self):
        blocks = [{"timestamp": str(6001 * (i + 1)), "item_block": bytes([i]) * 32} for i in range(9)] + [{"timestamp": "60000"}, {"timestamp": "120000"}]
        done = call("windows", started_at="0", minute_ms=60_000, window_ms=600_000, blocks=blocks)["ok"]["blocks"]
        self.assertEqual(done, [{"cut": []}] * 11)
        for wrong in (dict(started_at="1"), dict(minute_ms=7), dict(minute_ms=0), dict(blocks=blocks[::-1])):
            args = {**dict(started_at="0", minute_ms=60_000, window_ms=600_000, blocks=blocks), **wrong}
            self.assertEqual(call("windows", **args)["reject"]["class"], "refused")


class Institutions(unittest.TestCase):
    def founders(self, count):
        return [{**seat, "rating": 100 - i, "centre": 0} for i, seat in enumerate(seats(range(1, count + 1)))]

    def block(self, view, parent, producer, **fields):
        return {"block": dict(view=str(view), parent_view=str(parent), producer=producer, offences=[], services=[], joining=[], **fields)}

    def test_credit_misses_and_a_seat_lost_by_fraud(self):
        steps = [self.block(1, 0, 1), self.block(4, 1, 4, certificate=[5, 6, 7]), self.block(5, 4, 2, certificate=[]),
                 self.block(9, 4, 1, certificate=[6, 5])]
        steps[1]["block"]["offences"] = [dict(institution=2, epoch=0, view="3", kind=1)]
        steps.append({"freeze": {"last_view": "4"}})
        done = call("roster", producers=4, auditors=4, founders=self.founders(10), steps=steps)["ok"]["steps"]
        self.assertEqual(done[0], {"credit": [{"institution": 1, "amount": "100"}]})
        self.assertEqual({c["institution"]: c["amount"] for c in done[1]["credit"]}, {2: "-200200", 3: "-200", 4: "100", 5: "1", 6: "1", 7: "1"})
        self.assertEqual(done[2:4], [{"refused": True}] * 2)
        self.assertEqual(done[4], dict(credit=[], expelled=[2], promoted=[5], seated=[9], producers=[1, 5, 3, 4], auditors=[9, 6, 7, 8]))

    def test_two_misses_and_ten_services_an_epoch(self):
        services = [{"institution": 9, "epoch": 0, "grant": bytes([i]) * 32} for i in range(11)]
        steps = [self.block(1, 0, 1), self.block(14, 1, 2), self.block(15, 14, 3)]
        steps[2]["block"]["services"] = services
        done = call("roster", producers=4, auditors=4, founders=self.founders(10), steps=steps)["ok"]["steps"]
        self.assertEqual([c["amount"] for c in done[1]["credit"]], ["-400"] * 4)
        self.assertEqual(done[2]["credit"], [{"institution": 9, "amount": "100"}])
        self.assertEqual(call("roster", producers=4, auditors=4, founders=self.founders(7), steps=[])["reject"]["class"], "refused")

    def test_an_access_from_request_to_dispute(self):
        owner, reader, proxy, record = SEED, OTHER, bytes([3]) * 32, bytes([9]) * 32
        files = [{"record": record, "digest": SEED}]
        ids = [bytes([100 + i]) * 32 for i in range(9)]
        def book(i, signer, kind, **body):
            return {"book": dict(record=ids[i], signer=signer, act=encode("MACT", (kind, body)))}
        steps = [{"reach": "10"}, {"seats": [{"key": proxy, "institution": 4}]},
                 book(0, reader, 0, owner=owner, reader_key=reader, offer=SEED, records=[record]),
                 book(1, reader, 1, request=ids[0], owner_key=SEED, until=20, files=files), book(1, owner, 1, request=ids[0], owner_key=SEED, until=20, files=files),
                 book(2, proxy, 2, grant=ids[1], parcels=SEED), book(3, owner, 3, grant=ids[1], institution=5, rekey=SEED, parcel=SEED),
                 book(3, reader, 3, grant=ids[1], institution=4, rekey=SEED, parcel=SEED),
                 book(3, owner, 3, grant=ids[1], institution=4, rekey=SEED, parcel=SEED), {"reach": "20"}, book(4, proxy, 4, grant=ids[1], files=files),
                 book(5, reader, 6, grant=ids[1], record=record, delivery=OTHER), book(5, reader, 6, grant=ids[1], record=record, delivery=SEED),
                 book(6, owner, 7, grant=ids[1], finding=1)]
        owners = [{"record": record, "owner": owner}]
        done = call("access", owners=owners, steps=steps)["ok"]
        self.assertEqual(done["steps"], [True, False, True, True, False, False, True, True, False, True, True])
        self.assertEqual(done["readers"], [{"grant": ids[1].hex(), "record": record.hex(), "reader_key": reader.hex()}])
        self.assertEqual(call("access", owners=owners, steps=steps + [{"reach": "21"}])["ok"]["readers"], [])
        self.assertEqual(call("access", owners=owners, steps=steps + [book(7, owner, 5, grant=ids[1])])["ok"]["readers"], [])


class Files(unittest.TestCase):
    def test_the_vector_of_the_xchacha_draft(self):
        plain = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."
        sealed = primitives.seal(bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58)), plain, bytes.fromhex("50515253c0c1c2c3c4c5c6c7"))
        self.assertEqual(sealed.hex(), "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96"
                         "b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e"
                         "c0875924c1c7987947deafd8780acf49")

    def test_the_counter_of_a_nonce_is_big_endian(self):
        self.assertEqual(m.nonce_of(bytes(19), 258, 1), bytes(21) + b"\1\2\1")

    def test_a_trailer_that_is_not_of_the_plaintext_is_refused(self):
        header, prefix = b"MFIL\1\1\x10" + bytes(19), bytes(19)
        for length, text in ((3, b"abc"), (4, b"abc"), (3, b"abd")):
            trailer = struct.pack("<Q", length) + bytes(16) + H(b"MCOM\1", bytes(16), text)
            file = header + primitives.seal(SEED, m.nonce_of(prefix, 0, 0), b"abc", header) + primitives.seal(SEED, m.nonce_of(prefix, 1, 1), trailer, header)
            self.assertEqual("ok" in call("file.open", key=SEED, file=file), (length, text) == (3, b"abc"))

    def test_what_is_sealed_opens_and_nothing_else_does(self):
        for size in (1, 65_535, 65_536, 65_537, 140_000):
            plain = bytes(i * 7 & 255 for i in range(size))
            file = raw(call("file.seal", key=SEED, nonce=bytes(19), salt=bytes(16), plaintext=plain)["ok"]["file"])
            self.assertEqual(len(file), 26 + size + 16 * -(-size // 65_536) + 72)
            self.assertEqual(raw(call("file.open", key=SEED, file=file)["ok"]["plaintext"]), plain)
            for at in (8, 26, len(file) - 1):
                changed = file[:at] + bytes([file[at] ^ 1]) + file[at + 1:]
                self.assertEqual(call("file.open", key=SEED, file=changed)["reject"]["class"], "authentication")
        self.assertEqual(call("file.open", key=SEED, file=file[:26] + file[65_578:])["reject"]["class"], "authentication")
        self.assertEqual(call("file.seal", key=SEED, nonce=bytes(19), salt=bytes(16), plaintext=b"")["reject"]["class"], "bound")


class ReEncryption(unittest.TestCase):
    IN, TOY = KNOWN["inputs"], KNOWN["Toy16"]

    def test_fips_197(self):
        plain = bytes.fromhex("00112233445566778899aabbccddeeff")
        self.assertEqual(primitives.aes(bytes(range(16)), plain * 3).hex(), "69c4e0d86a7b0430d8cdb78070b4c55a" * 3)
        self.assertEqual(primitives.aes(bytes(range(32)), plain).hex(), "8ea2b7ca516745bfeafc49904b496089")

    def test_known_answers_of_toy16(self):
        known, sets, seeds = self.TOY, [s for s in KNOWN["sets"] if s["set"] == "Toy16"][0], self.IN["key seeds"]
        publics = [call("pre.key_gen", set=0, seed=seed)["ok"]["public_key"] for seed in seeds[:3]]
        self.assertEqual([H(raw(p)).hex() for p in publics], sets["PublicKey"])
        made = call("pre.encaps", public_key=publics[0], key_id=self.IN["key_id"], message=self.IN["message"])["ok"]
        first = capsule = made["capsule"]
        self.assertEqual((capsule, made["digest"]), (known["capsules"][0]["encoding"], sets["K"]))
        for hop in (0, 1):
            capsule, offer, rekey = self.hop(hop, publics, capsule, 0)
            self.assertEqual([raw(v).hex() for v in (offer, rekey, capsule)],
                             [known["hops"][hop]["Offer"], known["hops"][hop]["ReKey"], known["capsules"][hop + 1]["encoding"]])
            self.assertEqual(call("pre.decaps", set=0, seed=seeds[hop + 1], capsule=capsule)["ok"]["message"], self.IN["message"])
        self.assertEqual([H(raw(v)).hex() for v in self.hop(0, publics, first, 1)], [sets["KeyPrivate"][k] for k in ("Capsule", "Offer", "ReKey")])
        self.assertEqual(call("pre.re_encrypt", rekey=rekey, capsule=first, secret=SEED, reader=publics[2])["reject"]["class"], "refused")
        self.assertEqual(call("pre.decaps", set=0, seed=seeds[1], capsule=first)["reject"]["class"], "authentication")

    def hop(self, hop, publics, capsule, variant):
        seeds, name = self.IN["key seeds"], H(raw(publics[hop]))
        offer = call("pre.offer", set=0, seed=seeds[hop + 1], owner=name, coins=self.IN["offer coins"][hop], variant=variant)["ok"]["offer"]
        rekey = call("pre.accept", set=0, seed=seeds[hop], offer=offer, grant=self.IN["grant"])["ok"]["rekey"]
        args = dict(rekey=rekey, capsule=capsule, secret=self.IN["proxy secret"], **({} if variant else {"reader": publics[hop + 1]}))
        return call("pre.re_encrypt", **args)["ok"]["capsule"], offer, rekey

    def test_profile_paper_shares_between_two(self):
        owner, reader = (call("paper.pre.keys", seed=seed)["ok"] for seed in (SEED, OTHER))
        sealed = call("paper.pre.encrypt", public=owner["public"], message=CHAIN, seed=SEED)["ok"]["ciphertext"]
        offer = call("paper.pre.offer", private=reader["private"], public=owner["public"], seed=SEED)["ok"]["offer"]
        rekey = call("paper.pre.rekey", private=owner["private"], public=reader["public"], offer=offer, seed=SEED)["ok"]["rekey"]
        hopped = call("paper.pre.re_encrypt", rekey=rekey, ciphertext=sealed, seed=SEED)["ok"]["ciphertext"]
        self.assertEqual(call("paper.pre.decrypt", private=owner["private"], ciphertext=sealed)["ok"]["message"], CHAIN.hex())
        self.assertEqual(call("paper.pre.decrypt", private=reader["private"], ciphertext=hopped)["ok"]["message"], CHAIN.hex())
        self.assertIn("reject", call("paper.pre.decrypt", private=reader["private"], ciphertext=sealed))


class Paper(unittest.TestCase):
    def test_a_window_proves_each_of_its_records(self):
        record = lambda i: {"owner": SEED, "created": "5", "content": bytes([i])}
        records = [[[[record(1), record(2)], [record(3)]], [[record(4)]]], [[[record(5), record(6), record(7)]]]]
        window = call("paper.window", records=records)["ok"]["window"]
        proof = call("paper.prove", records=records, at=[1, 0, 0, 2])["ok"]
        self.assertEqual(proof["hashes"], 2)
        self.assertEqual(call("paper.verify", record=record(7), proof=proof["proof"], window=window), {"ok": {}})
        self.assertIn("reject", call("paper.verify", record=record(6), proof=proof["proof"], window=window))
        self.assertEqual(call("paper.prove", records=records, at=[1, 1, 0, 0])["reject"]["class"], "shape")

    def test_minutes_credit_and_seats(self):
        blocks = [{"timestamp": str(i * 5000), "has_items": True} for i in range(1, 49)]
        done = call("paper.minutes", started_at="0", minute_ms=60_000, window_ms=120_000, blocks=blocks)["ok"]
        self.assertEqual(([len(d) for d in done["data_blocks"]], done["windows"]), ([10, 10, 4, 10, 10, 4], [[0, 1, 2], [3, 4, 5]]))
        credit = call("paper.credit", institutions=[{"institution": 1, "rating": 2}], events=[{"institution": 1, "kind": "cheated"}])["ok"]["credit"]
        self.assertEqual(credit, [{"institution": 1, "points": "-199000"}])
        points = lambda *pairs: [{"institution": i, "points": str(p)} for i, p in pairs]
        done = call("paper.replace", producers=points((1, -5), (2, 0)), auditors=points((3, 1), (4, 7), (5, 7), (6, 0)), others=points((8, 3)), threshold="0")
        self.assertEqual(done["ok"], {"producers": [4, 2], "auditors": [3, 8, 5, 6], "expelled": [1]})


class Lines(unittest.TestCase):
    def test_a_conversation(self):
        lines = ['{"id":1,"verb":"hello","protocol":[1],"suite":"2026.11"}', '{"id":2,"verb":"reset","seed":"%s"}' % SEED.hex(),
                 '{"id":3,"verb":"call","op":"merkle.root","args":{"leaves":["b64:"]}}', '{"id":4,"verb":"call","op":"none","args":{}}', '{"id":5,"verb":"bye"}']
        run = subprocess.run([sys.executable, str(HERE / "mdsm_l1.py")], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=60)
        replies = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual((run.returncode, [r["id"] for r in replies]), (0, [1, 2, 3, 4]))
        self.assertEqual(replies[2]["ok"]["root"], H(b"\0").hex())
        self.assertIn("unsupported", replies[3])


if __name__ == "__main__":
    unittest.main()
