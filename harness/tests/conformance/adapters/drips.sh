#!/bin/sh
# Answers the first call with a byte a second and no LF.
. "$(dirname "$0")/common.sh"

call() {
    while sleep 1; do printf ' '; done
}
serve
