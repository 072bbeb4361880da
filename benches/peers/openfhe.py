"""OpenFHE's proxy re-encryption, one thread, as a child of `reencryption`.

Prints a line of JSON for every scheme and {"ready": n}; then for every line `turn` on its input it
does each operation some times and prints a line of JSON with nanoseconds per call, and {"turn": n}.
A scheme that does not decrypt correctly after re-encryption ends the script before it printed a time.

    python -I openfhe.py          as a child; without -I this file is taken for the package
    python -I openfhe.py check    round trips only; exits with 0 when all of them are right
    python -I openfhe.py canary   the same with parameters that lose half of the bits
"""

import json
import os
import random
import sys
import time
from importlib.metadata import version

os.environ["OMP_NUM_THREADS"] = "1"

import openfhe as fhe  # noqa: E402  (the number of threads comes first)

VERSION = ".".join(version("openfhe").split(".")[:3])
ROUND_TRIPS = 10
TURN_NS = 200_000


def bgv(mode, key_switch, digit_size, **more):
    return fhe.CCParamsBGVRNS(), {
        "ScalingTechnique": fhe.ScalingTechnique.FIXEDMANUAL,
        "PREMode": mode,
        "KeySwitchTechnique": key_switch,
        "DigitSize": digit_size,
        "MultiplicativeDepth": 0,
        **more,
    }


def bfv(**more):
    return fhe.CCParamsBFVRNS(), {"PREMode": fhe.ProxyReEncryptionMode.INDCPA, **more}


MODE, SWITCH = fhe.ProxyReEncryptionMode, fhe.KeySwitchTechnique

# Name, notion, parameters. All of t = 2 and at the 128 bits that OpenFHE itself asks for. The digits
# are as long as decryption allows: for BGV, 15 bits got 1,332 of 4,096,000 bits wrong, 10 bits none.
SCHEMES = [
    ("BGV digit 10", "CPA", bgv(MODE.INDCPA, SWITCH.BV, 10)),
    # Depth 1 for a modulus of 120 bits; the canary has 60.
    ("BFV hybrid", "CPA", bfv(MultiplicativeDepth=1)),
    ("BFV digit 30", "CPA", bfv(MultiplicativeDepth=0, KeySwitchTechnique=SWITCH.BV, DigitSize=30)),
    ("BGV fixed noise", "HRA heuristic", bgv(MODE.FIXED_NOISE_HRA, SWITCH.BV, 10)),
    (
        "BGV flooding, 1 hop",
        "HRA",
        bgv(
            MODE.NOISE_FLOODING_HRA,
            SWITCH.HYBRID,
            0,
            RingDim=16384,
            StatisticalSecurity=40,
            NumAdversarialQueries=1 << 20,
            PRENumHops=1,
        ),
    ),
]

# Re-encrypts in 80 us and decrypts wrong.
CANARY = ("BFV hybrid of depth 0", "none", bfv(MultiplicativeDepth=0))


class Scheme:
    def __init__(self, name, notion, params):
        params, settings = params
        params.SetPlaintextModulus(2)
        for setting, value in settings.items():
            getattr(params, "Set" + setting)(value)
        self.context = fhe.GenCryptoContext(params)
        for feature in ("PKE", "KEYSWITCH", "LEVELEDSHE", "PRE"):
            self.context.Enable(getattr(fhe.PKESchemeFeature, feature))
        self.bits = self.context.GetRingDimension()
        self.name = f"OpenFHE {VERSION} {name}, N={self.bits}"
        self.notion = notion
        self.owner, self.reader = self.context.KeyGen(), self.context.KeyGen()
        self.rekey = self.make_rekey()
        self.check()
        self.plain = self.plaintext(self.random_bits())
        self.capsule = self.encapsulate()
        self.moved = self.reencrypt()
        self.operations = {
            "key_gen": self.context.KeyGen,
            "encapsulate": self.encapsulate,
            "re_key": self.make_rekey,
            "reencrypt": self.reencrypt,
            "decapsulate": self.decapsulate,
        }
        self.repeats = {name: self.how_often(work) for name, work in self.operations.items()}

    def random_bits(self):
        return [random.getrandbits(1) for _ in range(self.bits)]

    def plaintext(self, bits):
        return self.context.MakeCoefPackedPlaintext(bits)

    def make_rekey(self):
        return self.context.ReKeyGen(self.owner.secretKey, self.reader.publicKey)

    def encapsulate(self):
        return self.context.Encrypt(self.owner.publicKey, self.plain)

    def reencrypt(self):
        return self.context.ReEncrypt(self.capsule, self.rekey)

    def decapsulate(self):
        return self.context.Decrypt(self.reader.secretKey, self.moved)

    def check(self):
        """Fresh bits and a fresh re-encryption key each time; one wrong bit is one too many."""
        for _ in range(ROUND_TRIPS):
            bits = self.random_bits()
            capsule = self.context.Encrypt(self.owner.publicKey, self.plaintext(bits))
            moved = self.context.ReEncrypt(capsule, self.make_rekey())
            opened = self.context.Decrypt(self.reader.secretKey, moved)
            opened.SetLength(self.bits)
            wrong = sum(bit != got % 2 for bit, got in zip(bits, opened.GetCoefPackedValue(), strict=True))
            if wrong:
                sys.exit(f"{self.name}: {wrong} of {self.bits} bits are wrong after re-encryption")

    def how_often(self, work):
        work()
        start = time.perf_counter_ns()
        work()
        return min(max(TURN_NS // (time.perf_counter_ns() - start), 1), 1000)

    def describe(self):
        bytes_of = lambda thing: len(fhe.Serialize(thing, fhe.BINARY))
        return {
            "scheme": self.name,
            "bits": self.bits,
            "capsule_bytes": bytes_of(self.capsule),
            "reencrypted_bytes": bytes_of(self.moved),
            "rekey_bytes": bytes_of(self.rekey),
            "security": {"classical_bits": 128, "notion": self.notion, "post_quantum": True},
            "operations": list(self.operations),
        }

    def turn(self):
        for operation, work in self.operations.items():
            repeats = self.repeats[operation]
            work()  # The others have emptied the caches.
            start = time.perf_counter_ns()
            for _ in range(repeats):
                work()
            ns = (time.perf_counter_ns() - start) / repeats
            yield {"scheme": self.name, "operation": operation, "ns": ns}


def say(line):
    print(json.dumps(line), flush=True)


def main():
    mode = sys.argv[1] if sys.argv[1:] else "child"
    schemes = [Scheme(*scheme) for scheme in ([CANARY] if mode == "canary" else SCHEMES)]
    if mode != "child":
        return
    for scheme in schemes:
        say(scheme.describe())
    say({"ready": len(schemes)})
    turns = 0
    for line in sys.stdin:
        if line.strip() != "turn":
            sys.exit(f"this is no word of ours: {line!r}")
        for scheme in schemes:
            for result in scheme.turn():
                say(result)
        turns += 1
        say({"turn": turns})


main()
