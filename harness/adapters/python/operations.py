"""The adapter protocol: lines, values in JSON, and operations, which are functions of their arguments."""
import base64
import inspect
import json
import sys

from wire import Reject, decode, encode

READINGS = {"AMB-STO-4": "R1", "AMB-STO-12": "R1", "AMB-COM-2": "R1", "AMB-COM-7": "R1", "AMB-PRE-3": "R1"}

# The name of a field says what its text in JSON is: bytes, a number, the encoding of a value, or a text.
BYTES = set("""act bytes chain_id coins content grant headers item_block key key_id leaf leaves message nonce
owner path plaintext private proxy reader record root salt secret seed signature signer transaction
window""".split())
NUMBERS = {"created", "last_view", "parent_view", "points", "reach", "started_at", "threshold", "timestamp",
           "view"}
ENCODED = {"envelope": "MENV", "certificate": "MCRT", "evidence": "MEVD", "receipt": "MRCP", "file": "MFIL",
           "public_key": "MPUB", "public": "MPUB", "capsule": "MCAP", "before": "MCAP", "ciphertext": "MCAP",
           "offer": "MOFF", "rekey": "MRKY", "delivery": "MDLV", "proof": "PPLC"}

OPERATIONS = {}

def operation(name, results=""):
    """Makes a function an operation: arguments are its parameters by name, `results` name what it returns."""
    def register(function):
        OPERATIONS[name] = function, inspect.signature(function).parameters.values(), results.split()
        return function
    return register

def raw(text):
    return base64.b64decode(text[4:], validate=True) if text.startswith("b64:") else bytes.fromhex(text)

def text_of(data):
    return data.hex() if len(data) <= 4096 else "b64:" + base64.b64encode(data).decode()

def value_of(name, value, hint=None):
    if isinstance(value, list):
        return [value_of(name, one) for one in value]
    if isinstance(value, dict):
        return {field: value_of(field, one) for field, one in value.items()}
    if not isinstance(value, str):
        return value
    if name in NUMBERS or hint is int:
        return int(value)
    if name in ENCODED:
        return decode(ENCODED[name], raw(value))
    return raw(value) if name in BYTES else value

def perform(args, function, parameters, results):
    wanted = [(p.name, p.annotation) for p in parameters if p.name in args]
    values = function(**{name: value_of(name, args[name], hint) for name, hint in wanted})
    pairs = zip(results, values if len(results) > 1 else [values])
    return {name: value if name not in ENCODED or isinstance(value, bytes) else encode(ENCODED[name], value)
            for name, value in pairs}

def answer(request):
    if request["verb"] == "reset":
        return {"ok": {}}
    if request["verb"] == "hello":
        if 1 not in request["protocol"]:
            return {"unsupported": "speaks version 1 only"}
        return {"ok": {"protocol": 1, "name": "mdsm-python", "version": "0.1.0", "ops": sorted(OPERATIONS),
                       "language": "Python %d.%d" % sys.version_info[:2], "readings": READINGS}}
    if request["op"] not in OPERATIONS:
        return {"unsupported": "no operation " + request["op"]}
    try:
        return {"ok": perform(request["args"], *OPERATIONS[request["op"]])}
    except Reject as no:
        return {"reject": {"class": no.args[0], "detail": no.args[1]}}

def main():
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if request["verb"] == "bye":
            return
        reply = {"id": request["id"], **answer(request)}
        print(json.dumps(reply, default=text_of, separators=(",", ":")), flush=True)
