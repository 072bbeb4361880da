#!/bin/sh
# Sound, but holds every reply back until its standard input is closed, as a full buffer would.
. "$(dirname "$0")/common.sh"

sound
replies=$(serve)
printf '%s\n' "$replies"
