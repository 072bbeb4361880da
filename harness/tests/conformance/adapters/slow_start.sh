#!/bin/sh
# Sound, after 2 seconds.
. "$(dirname "$0")/common.sh"

sound
sleep 2
serve
