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
need valgrind valgrind
need iproute2 ip
need chromium chromium chromium-browser google-chrome
need python3 python3
need golang-go go
need nginx-light nginx /usr/sbin/nginx
need openssl openssl
need redis-server redis-server
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
    # What is installed would be started as a service of the system; tests start their own.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
      $as_root chmod 755 "$policy"
      trap '$as_root rm -f "$policy"' EXIT
    fi
    # shellcheck disable=SC2086  # the lists are words
    $apt install -y --no-install-recommends $missing
  else
    echo "test:setup: please install: $missing (Debian, as root: apt-get install $missing)" >&2
    status=1
  fi
fi

# Three at a time: they wait for the registry most of the time. Examples without install scripts: the addon that they link to is
# the one of this clone; and with what they build.
ls -d test/*/package.json test/frameworks/*/package.json examples/*/package.json bench/package.json |
  xargs -P 3 -I '{}' sh -c '
    cd "$(dirname "{}")"
    if [ -f package-lock.json ]; then verb=ci; else verb="install --no-package-lock"; fi
    case "{}" in examples/*) only=--ignore-scripts ;; *) only= ;; esac
    npm $verb $only --no-audit --no-fund --loglevel=error >/dev/null || exit 1
    npm run --silent --if-present build >/dev/null || exit 1
    echo "test:setup: npm packages of $(dirname "{}")"'

exit "${status:-0}"
