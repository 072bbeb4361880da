#!/bin/sh
# Takes memory without end at the first call, in its own process; the limit of 8 GiB protects the machine.
. "$(dirname "$0")/common.sh"

call() {
    ulimit -v 8388608
    exec tail /dev/zero
}
serve
