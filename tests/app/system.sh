#!/usr/bin/env bash
# system.sh FOLDER: a Debian with Blender, an X server without a screen and software OpenGL in a
# folder of its own, made once. Where the packages come from is what this system's apt is set to.
set -euo pipefail
folder=$1
suite=trixie # Blender 4.3, Python 3.13
complete=$folder/.setup-complete
[ ! -e "$complete" ] || exit 0
here=$(cd "$(dirname "$0")" && pwd)
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

[ "$(id -u)" = 0 ] || { echo "making $folder needs root (debootstrap and chroot)" >&2; exit 1; }
command -v apt-get >/dev/null || { echo "this needs a Debian or a system made from it" >&2; exit 1; }
if ! command -v debootstrap >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi
source=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' |
  awk '$3 == "main" && $2 !~ /security|updates|backports/ { print $1; exit }')
[ -n "$source" ] || { echo "apt knows no source of Debian" >&2; exit 1; }
keys=/usr/share/keyrings/debian-archive-keyring.gpg

echo "making $folder: Debian $suite with Blender, about 1.3 GB, once"
if [ ! -e "$folder/.bootstrapped" ]; then
  rm -rf --one-file-system "$folder"
  mkdir -p "$folder"
  recipe=/usr/share/debootstrap/scripts/$suite
  [ -e "$recipe" ] || recipe=/usr/share/debootstrap/scripts/sid
  debootstrap --variant=minbase --keyring="$keys" "$suite" "$folder" "$source" "$recipe" >/dev/null
  touch "$folder/.bootstrapped"
fi

# This system's names and apt settings; no translations, no manuals, no services.
cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
for settings in /etc/apt/apt.conf.d/99*; do
  [ ! -e "$settings" ] || cp "$settings" "$folder/etc/apt/apt.conf.d/"
done
rm -f "$folder"/etc/apt/sources.list.d/*
echo "deb [signed-by=$keys] $source $suite main" >"$folder/etc/apt/sources.list"
mkdir -p "$folder$(dirname "$keys")" "$folder/etc/dpkg/dpkg.cfg.d"
cp -n "$keys" "$folder$keys"
cat >"$folder/etc/apt/apt.conf.d/98small" <<'END'
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
END
printf 'path-exclude=/usr/share/%s/*\n' doc man locale >"$folder/etc/dpkg/dpkg.cfg.d/small"
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
chmod +x "$folder/usr/sbin/policy-rc.d"

"$here/enter.sh" "$folder" sh -euc '
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq \
    blender python3-numpy python3-requests python3-zstandard \
    libopenblas0-pthread xvfb xdotool imagemagick procps ca-certificates fonts-dejavu-core \
    libgl1 libgl1-mesa-dri libglx-mesa0 libegl1 libegl-mesa0 >/dev/null
  apt-get clean
  rm -rf /var/lib/apt/lists/*'
"$here/enter.sh" "$folder" blender --background --version | head -1 | tee "$complete"
