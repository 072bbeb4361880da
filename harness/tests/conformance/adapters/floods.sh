#!/bin/sh
# Answers the first call with 1 GB that has no LF in it.
. "$(dirname "$0")/common.sh"

call() { head -c 1000000000 /dev/zero | tr '\0' x; }
serve
