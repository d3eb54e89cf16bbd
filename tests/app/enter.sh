#!/usr/bin/env bash
# enter.sh FOLDER COMMAND...: run a command in the system in a folder, with this system's devices,
# /tmp, and the folder that BIND names. The mounts are the command's own and end with it.
set -euo pipefail
export ENTERED=$1 COMMAND_FOLDER=$PWD BIND=${BIND:-}
shift
exec unshare --mount --propagation private bash -euc '
  mount -t proc proc "$ENTERED/proc"
  for folder in /sys /dev /tmp $BIND; do
    mkdir -p "$ENTERED$folder"
    mount --rbind "$folder" "$ENTERED$folder"
  done
  [ -d "$ENTERED$COMMAND_FOLDER" ] || COMMAND_FOLDER=/
  exec env -i HOME="${APP_HOME:-/root}" TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-1}" \
    chroot "$ENTERED" sh -c "cd \"\$0\" && exec \"\$@\"" "$COMMAND_FOLDER" "$@"
' enter "$@"
