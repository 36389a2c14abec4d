#!/bin/sh
# npm run test:setup: installs what the tests need beyond `npm install`. The system's packages come from
# apt (as root, or through sudo without a password), the rest from npm, into packages of their own.
set -eu

cd "$(dirname "$0")/.."

missing=
need() { # need <package> <command>...: any one of the commands will do
  package=$1
  shift
  for command in "$@"; do
    if command -v "$command" >/dev/null 2>&1; then return; fi
  done
  missing="$missing $package"
}
need curl curl
need strace strace
need iproute2 ip
need chromium chromium chromium-browser google-chrome
need python3 python3
need golang-go go
need nginx-light nginx /usr/sbin/nginx
if [ ! -e /usr/lib/nginx/modules/ngx_nchan_module.so ]; then missing="$missing libnginx-mod-nchan"; fi
missing=${missing# }

as_root=
if [ "$(id -u)" != 0 ]; then as_root='sudo -n'; fi

if [ -n "$missing" ]; then
  if command -v apt-get >/dev/null 2>&1 && $as_root true 2>/dev/null; then
    echo "test:setup: apt-get install $missing"
    export DEBIAN_FRONTEND=noninteractive
    apt="$as_root apt-get -q -o DPkg::Lock::Timeout=300"
    $apt update
    # shellcheck disable=SC2086  # the lists are words
    $apt install -y --no-install-recommends $missing
  else
    echo "test:setup: please install: $missing (Debian, as root: apt-get install $missing)" >&2
    status=1
  fi
fi

for dir in test/browser test/clients test/docs test/examples test/lint test/nodes test/runtimes test/frameworks/*; do
  if [ ! -f "$dir/package.json" ]; then continue; fi
  echo "test:setup: npm packages of $dir"
  if [ -f "$dir/package-lock.json" ]; then verb=ci; else verb='install --no-package-lock'; fi
  # shellcheck disable=SC2086
  (cd "$dir" && npm $verb --no-audit --no-fund --loglevel=error)
done

# Without install scripts: the addon that these link to is the one of this clone.
for dir in examples/*; do
  if [ ! -f "$dir/package.json" ]; then continue; fi
  echo "test:setup: npm packages and page of $dir"
  (cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent --if-present build)
done

exit "${status:-0}"
