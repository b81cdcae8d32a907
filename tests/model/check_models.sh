#!/bin/sh
# SPDX-License-Identifier: ISC
# Checks the models of this folder with Spin: every state of each model, and that every run of it
# ends as it should. To prove that the models can fail, each is also checked with one rule of the
# code left out or reversed (a mutant), and Spin must find an error in every one of those.
#
# Ends with a line like libcheck's: "100%: Checks: N, Failures: 0, Errors: 0".
# Environment: top_srcdir, CC. Exits with 77 if there is no spin or no compiler.
set -eu

models=$(cd "${top_srcdir:-.}/tests/model" && pwd)
compiler=${CC:-cc}
memory_mib=2048
deepest=20000

for tool in spin "${compiler%% *}"; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "skipped: the models need $tool, which is not there"
        exit 77
    fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"

checks=0
failures=0
errors=0

# spin_finds FILE MACROS HOW: explores FILE with the macros defined; HOW is `cycles` (a run without
# end is an error too) or `states`. Prints what Spin said. Returns 0 if it has explored everything
# without an error, 1 if it has found an error, 2 if it could not explore everything.
spin_finds() {
    # An error is found soon, so that compiling takes longer than running.
    search='-DSAFETY -O0' option=
    if [ "$3" = cycles ]; then
        search='-DNP -O1' option=-l
    fi
    rm -f pan* ./*.trail
    # Macros and options are lists of words.
    # shellcheck disable=SC2086
    if ! { spin "-P$compiler -E -x c" $2 -a "$models/$1" &&
        $compiler -w $search -DCOLLAPSE -DMEMLIM=$memory_mib -o pan pan.c &&
        ./pan -n -m$deepest $option; } >said 2>&1; then
        cat said
        return 2
    fi
    grep -E '^pan:1:|errors:|states, stored|elapsed time|total actual memory' said |
        sed 's/^[ \t]*/    /'
    if grep -q 'errors: [1-9]' said; then
        return 1
    fi
    if grep -qE 'max search depth too small|out of memory|Search not completed|truncated' said; then
        cat said
        return 2
    fi
    grep -q 'errors: 0' said || return 2
}

# check EXPECTED FILE MACROS HOW: EXPECTED is `right` or `wrong`.
check() {
    checks=$((checks + 1))
    echo "$2 $3 ($4): must be $1"
    found=0
    spin_finds "$2" "$3" "$4" || found=$?
    case $1,$found in
    right,0 | wrong,1) ;;
    *,2)
        echo "error: $2 $3 could not be checked"
        errors=$((errors + 1))
        ;;
    *)
        echo "failure: $2 $3 is not $1"
        if [ "$1" = right ]; then
            # shellcheck disable=SC2086
            spin "-P$compiler -E -x c" $3 -t -k "$2.trail" "$models/$2" | tail -n 150 || true
        fi
        failures=$((failures + 1))
        ;;
    esac
}

check right wakeup.pml '' cycles
check right delivery.pml -DVICTIM=1 cycles
check right delivery.pml -DVICTIM=2 cycles

for mutant in NO_FENCE_IN_WORKER NO_FENCE_IN_SUPERVISOR WANTED_AFTER_REREAD NO_REREAD \
    CAUGHT_UP_NOT_SEEN WANTED_TOO_FAR SPACE_ONLY_WHEN_EQUAL OTHERS_NOT_LOOKED_AT DEAD_HOLDER_KEPT; do
    check wrong wakeup.pml -D$mutant states
done
check wrong wakeup.pml -DNEVER_ASLEEP cycles

for mutant in JUMP_FORGOTTEN TURN_NOT_HELD UNSENT_REPLACED OTHERS_NOT_LOOKED_AT \
    REST_OF_LAP_FORGOTTEN POSITION_BEFORE_BYTES CREDIT_AT_READING LEFT_DROPPED_WHEN_FULL \
    HOLD_DROPPED_AT_EVICTION HOLD_DROPPED_AT_EOF FREED_BEFORE_REAPED FREED_BEFORE_EOF \
    POSITION_NOT_ZEROED; do
    check wrong delivery.pml "-DVICTIM=2 -D$mutant" states
done
check wrong delivery.pml "-DVICTIM=1 -DTOLD_AGAIN" states

passed=$((checks - failures - errors))
echo "$((100 * passed / checks))%: Checks: $checks, Failures: $failures, Errors: $errors"
[ $passed -eq $checks ]
