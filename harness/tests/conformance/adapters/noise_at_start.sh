#!/bin/sh
# Prints a banner before it serves, and is sound from there on.
. "$(dirname "$0")/common.sh"

sound
echo "bad adapter 0.1, ready"
serve
