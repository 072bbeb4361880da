#!/bin/sh
# Sound in what it declares, which is paper.items alone: the one to hold the others against.
. "$(dirname "$0")/common.sh"

sound
serve
