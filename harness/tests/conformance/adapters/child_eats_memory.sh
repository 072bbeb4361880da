#!/bin/sh
# Takes memory without end at the first call, in a child; the limit of 8 GiB protects the machine.
. "$(dirname "$0")/common.sh"

call() {
    ulimit -v 8388608
    tail /dev/zero
    exit 1
}
serve
