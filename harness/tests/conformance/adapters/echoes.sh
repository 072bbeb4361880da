#!/bin/sh
# Answers each call with its own arguments, and computes nothing.
. "$(dirname "$0")/common.sh"

call() { ok "$args"; }
serve
