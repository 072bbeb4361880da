#!/bin/sh
# Closes its standard output at the first call, and lives until its standard input is closed.
. "$(dirname "$0")/common.sh"

call() { exec cat >/dev/null; }
serve
