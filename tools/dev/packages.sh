# shellcheck shell=bash
# What must be installed, and installing it. Sourced by tools/dev.sh.

# What must be there before anything compiles, as Debian packages.
packages=(g++ cmake ninja-build ccache pkg-config libsentencepiece-dev nlohmann-json3-dev libcpp-httplib-dev libpcre2-dev
  libutf8proc-dev libcli11-dev libedit-dev libgtest-dev libgmock-dev libbenchmark-dev libcurl4-openssl-dev)
# What only some verbs need: check (formatting) and test (the page in a browser, golden folders written by numpy scripts).
developer_packages=(clang-format chromium nodejs npm python3-numpy)
# What only fuzz needs: the compiler that libFuzzer is a part of, and its runtime.
fuzz_packages=(clang libclang-rt-14-dev)

missing() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || { provided "$package" || printf '%s ' "$package"; }
  done
}

# A tool that came from elsewhere than Debian (node with its own npm, say) counts as installed.
provided() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm | ccache | cmake | clang-format | chromium) command -v "$1" >/dev/null ;;
    g++) command -v g++ >/dev/null ;;
    clang) command -v clang++ >/dev/null ;;
    libcurl4-openssl-dev) pkg-config --exists libcurl 2>/dev/null ;; # that of another TLS library does as well
    libclang-rt-*) [ -n "$(libfuzzer)" ] ;;
    *) return 1 ;;
  esac
}

# The file of libFuzzer that clang++ would link, or nothing.
libfuzzer() {
  local folder
  folder=$(clang++ --print-runtime-dir 2>/dev/null) || return 0
  find "$folder" "${folder%/*}" -name 'libclang_rt.fuzzer*.a' -print -quit 2>/dev/null || true
}

install_packages() {
  local need
  need=$(missing "$@")
  [ -n "$need" ] || return 0
  command -v apt-get >/dev/null || die "these packages are missing, and there is no apt-get to install them: $need"
  local sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  say "installing: $need"
  $sudo apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $need >/dev/null
}

setup() {
  install_packages "${packages[@]}"
  [ "${1:-}" = build-only ] || setup_tests
}

setup_tests() {
  install_packages "${developer_packages[@]}"
  if [ -f tests/chat/web/package-lock.json ] && [ ! -d tests/chat/web/node_modules ]; then
    (cd tests/chat/web && npm ci --ignore-scripts --no-audit --no-fund --silent)
  fi
}
