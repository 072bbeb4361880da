#!/bin/sh
# Sound, but ends with exit code 7 at bye.
. "$(dirname "$0")/common.sh"

sound
bye() { exit 7; }
serve
