#!/usr/bin/env bash
# setup.sh VENV PYTHON BLENDER EXTRA...   makes or completes a virtual environment.
#
#   tools/setup.sh .venv 3.11 4.5 torch test develop
#
# PYTHON and BLENDER are versions; each EXTRA is one of pyproject.toml, at the versions of
# requirements/constraints.txt. The package itself is installed as a link to this clone. Run it as often as you
# like: what is there stays, and an environment whose installation was interrupted is made anew.
#
#   PYTHON311, PYTHON313   the interpreter to use, where it is not in PATH under its own name
#   TORCH_INDEX            where torch comes from on Linux. Without it, the CPU build where pip is offered one,
#                          else the default build, which brings gigabytes of CUDA with it: PyTorch's
#                          installation page names its index of CPU builds
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$1 version=$2 blender=$3
shift 3

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PYTHONNOUSERSITE=1

fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

is_python() { # is_python COMMAND: does it run, and is it the version that we want?
  [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$version" ]
}

find_python() {
  local variable=PYTHON${version/./} candidate
  for candidate in ${!variable:+"${!variable}"} "python$version" python3 \
    "$HOME/.pyenv/versions/$version".*/bin/python; do
    if is_python "$candidate"; then
      printf '%s' "$candidate"
      return
    fi
  done
  fail "Python $version was not found." \
    "Install it (for example: pyenv install $version), or name it: make $variable=/path/to/python$version"
}

# What bpy links to and a bare Debian lacks: library, package.
SYSTEM_LIBRARIES="
libX11.so.6 libx11-6
libXi.so.6 libxi6
libXfixes.so.3 libxfixes3
libXrender.so.1 libxrender1
libXxf86vm.so.1 libxxf86vm1
libSM.so.6 libsm6
libICE.so.6 libice6
libGL.so.1 libgl1
libEGL.so.1 libegl1
libxkbcommon.so.0 libxkbcommon0
libgomp.so.1 libgomp1
"

missing_packages() {
  local known library package
  if [ "$(uname -s)" = Linux ]; then
    known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p)
    while read -r library package; do
      [ -z "$library" ] || grep -qF "$library " <<<"$known" || printf '%s ' "$package"
    done <<<"$SYSTEM_LIBRARIES"
  fi
  "$python" -c 'import ensurepip, venv' 2>/dev/null || printf 'python%s-venv ' "$version"
}

install_system_packages() {
  local packages
  packages=$(missing_packages)
  packages=${packages% }
  [ -n "$packages" ] || return 0
  echo "setup: missing on this system: $packages"
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    fail "Install them and run the same command again:" "    sudo apt-get install -y $packages"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086  # one word per package
  apt-get install -y -qq --no-install-recommends $packages >/dev/null
}

make_environment() {
  if [ -e "$venv/installing" ]; then
    echo "setup: the last installation into $venv was interrupted, starting over"
  elif is_python "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    return 0
  fi
  "$python" -m venv --clear "$venv"
}

pip_install() {
  local quiet=--quiet
  [ ! -t 1 ] || quiet=
  "$venv/bin/python" -m pip install $quiet "$@"
}

install_torch() {
  local pin
  pin=$(grep '^torch==' requirements/constraints.txt)
  if [ "$(uname -sm)" != "Linux x86_64" ] || "$venv/bin/python" -m pip show --quiet torch 2>/dev/null; then
    return 0 # elsewhere the default build is the right one
  fi
  if [ -n "${TORCH_INDEX:-}" ]; then
    pip_install --no-deps --index-url "$TORCH_INDEX" "$pin"
  else
    pip_install --no-deps "$pin+cpu" 2>/dev/null || pip_install "$pin"
  fi
}

install_extras() {
  local extras
  extras=$(IFS=,; echo "blender,$*")
  touch "$venv/installing"
  echo "setup: installing Blender $blender and the extras $* into $venv"
  case " $* " in *" torch "*) install_torch ;; esac
  pip_install --editable ".[$extras]" --constraint "requirements/blender-$blender.txt" \
    --constraint requirements/constraints.txt
  "$venv/bin/python" -c 'import bpy; print("setup: Blender", bpy.app.version_string, "as a module is ready")'
  rm "$venv/installing"
}

python=$(find_python)
install_system_packages
make_environment
install_extras "$@"
