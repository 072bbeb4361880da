#!/bin/sh
# Accepts everything without a look, in operations where acceptance is all that is asked.
. "$(dirname "$0")/common.sh"

hello() { greet merkle.verify ed25519.verify ed25519.verify_batch; }
call() { ok '{}'; }
serve
