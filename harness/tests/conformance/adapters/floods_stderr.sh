#!/bin/sh
# Writes 1 GB to standard error, half of it in lines and half in one, and is sound from there on.
. "$(dirname "$0")/common.sh"

sound
yes 'a line of a log that nobody asked for' | head -c 500000000 >&2
head -c 500000000 /dev/zero | tr '\0' x >&2
echo >&2
serve
