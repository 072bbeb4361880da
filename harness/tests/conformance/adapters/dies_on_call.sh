#!/bin/sh
# Greets soundly and ends at the first call, with a word on standard error.
. "$(dirname "$0")/common.sh"

call() {
    echo "assertion failed: $op" >&2
    exit 1
}
serve
