"""Recomputes a Bitcoin header's Merkle root from a file and its .ots, with the package opentimestamps."""

import hashlib
import sys

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation
from opentimestamps.core.serialize import StreamDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile

ots_path, content_path, headers_path = sys.argv[1:]
with open(ots_path, "rb") as stream:
    stamp = DetachedTimestampFile.deserialize(StreamDeserializationContext(stream))
with open(content_path, "rb") as stream:
    digest = hashlib.sha256(stream.read()).digest()
if stamp.file_digest != digest:
    sys.exit("the stamp is for another file")
with open(headers_path, "rb") as stream:
    headers = stream.read()
attestations = list(stamp.timestamp.all_attestations())
if len(attestations) != 1 or not isinstance(attestations[0][1], BitcoinBlockHeaderAttestation):
    sys.exit(f"one attestation of a Bitcoin block is expected: {attestations}")
message, attestation = attestations[0]
header = headers[attestation.height * 80:][:80]
if header[36:68] != message:
    sys.exit("leads to another Merkle root")
print(f"opentimestamps: {content_path} leads to the Merkle root of block {attestation.height}")
