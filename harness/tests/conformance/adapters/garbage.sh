#!/bin/sh
# Answers calls with a line that is no JSON.
. "$(dirname "$0")/common.sh"

call() { echo "$op: passed"; }
serve
