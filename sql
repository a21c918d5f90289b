#!/bin/sh
# Ask the warehouse a question: ./sql "select * from style_performance where style = 'anime'"
cd "$(dirname "$0")" && exec .venv/bin/python -m warehouse sql "$@"
