#!/bin/sh
# Answers each call with the id alone: neither ok nor reject nor unsupported.
. "$(dirname "$0")/common.sh"

call() { printf '{"id":%s}\n' "$id"; }
serve
