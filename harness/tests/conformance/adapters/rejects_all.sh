#!/bin/sh
# Rejects everything, with the class rule.
. "$(dirname "$0")/common.sh"

call() { reject rule; }
serve
