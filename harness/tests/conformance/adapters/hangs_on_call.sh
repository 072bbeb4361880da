#!/bin/sh
# Greets soundly and never answers a call; ends when its standard input is closed.
. "$(dirname "$0")/common.sh"

call() { exec cat 3>&1 >/dev/null; }
serve
