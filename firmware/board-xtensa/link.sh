#!/bin/sh
# Stand-in for the linker that rustc calls.  LLVM's object writer puts Xtensa literals into the wrong section,
# unaligned; through assembly text they are right.  So each crate is compiled with --emit=asm, and here every
# object or rlib of the link line is replaced by its re-assembled .s files.  LLD cannot link Xtensa.
set -eu
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
out= ; stems= ; prev=
for a in "$@"; do
  case $prev in -o) out=$a ;; esac
  case $a in
    *.rlib) d=$(dirname "$a"); b=$(basename "$a" .rlib); stems="$stems $d/${b#lib}" ;;
    *.rcgu.o) d=$(dirname "$a"); b=$(basename "$a"); stems="$stems $d/${b%%.*}" ;;
  esac
  prev=$a
done
assemble() { llvm-mc-22 -triple=xtensa -mcpu=esp32 -filetype=obj "$1" -o "$2"; }
work=$out.asm; rm -rf "$work"; mkdir -p "$work"
assemble "$here/start.S" "$work/start.o"
n=0; objects=
for s in $(printf '%s\n' $stems | sort -u); do
  for f in "$s".s "$s".*.s; do
    [ -f "$f" ] || continue
    n=$((n + 1)); assemble "$f" "$work/$n.o"; objects="$objects $work/$n.o"
  done
done
llvm-ar-22 rcs "$work/all.a" $objects
xtensa-lx106-elf-ld --no-relax --gc-sections --fatal-warnings --no-warn-rwx-segments -Map="$out.map" \
  -T "$here/link.x" -o "$out" "$work/start.o" "$work/all.a"
rm -rf "$work"
