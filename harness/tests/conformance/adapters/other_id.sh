#!/bin/sh
# Answers each call under the id after it.
. "$(dirname "$0")/common.sh"

call() {
    id=$((id + 1))
    ok '{}'
}
serve
