#!/bin/sh
# Answers each call with a list where the object ok belongs.
. "$(dirname "$0")/common.sh"

call() { ok '["root"]'; }
serve
