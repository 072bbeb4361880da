#!/bin/sh
# Rejects each call with a class that is not in the list.
. "$(dirname "$0")/common.sh"

call() { reject invalid; }
serve
