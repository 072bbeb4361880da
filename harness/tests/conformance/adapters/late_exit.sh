#!/bin/sh
# Sound, but stays for a minute after bye, also when its standard input is closed.
. "$(dirname "$0")/common.sh"

sound
bye() { exec sleep 60; }
serve
