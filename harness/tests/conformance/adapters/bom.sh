#!/bin/sh
# Writes a byte order mark before its first reply, and is sound from there on.
. "$(dirname "$0")/common.sh"

sound
printf '\357\273\277'
serve
