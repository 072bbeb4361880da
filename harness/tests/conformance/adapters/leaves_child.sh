#!/bin/sh
# Ends at the first call and leaves a child behind that holds its pipes open for a minute.
. "$(dirname "$0")/common.sh"

call() {
    sleep 60 &
    exit 1
}
serve
